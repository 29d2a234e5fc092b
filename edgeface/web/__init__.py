"""Frames over HTTP, for the page and for pages of the user's own."""
