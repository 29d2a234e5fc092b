"""Plays the voice, delayed so that the face agrees with it."""
