"""Phones: what they are called, when they are spoken, and how that is found in a recording."""
