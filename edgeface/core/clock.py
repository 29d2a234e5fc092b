"""CLOCK_MONOTONIC, the one clock of all processes."""

import time

from .rates import SECOND_NS


def monotonic_ns() -> int:
    """Now in ns (time.monotonic_ns needs Python 3.7)."""
    return int(time.clock_gettime(time.CLOCK_MONOTONIC) * SECOND_NS)
