"""Frames in the protocols that renderers speak: a reader of shared memory like any other."""
