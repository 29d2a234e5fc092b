"""CLOCK_MONOTONIC, the one clock of all processes."""

import time


def monotonic_ns():
    """Now in ns (time.monotonic_ns needs Python 3.7)."""
    return int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e9)
