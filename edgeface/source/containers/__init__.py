"""Containers of sound: which pieces a file consists of, and whether they are whole."""
