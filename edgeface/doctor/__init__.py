"""Checks of this machine for `edgeface doctor`."""
