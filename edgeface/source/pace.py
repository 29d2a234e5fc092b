"""Plays what could come at once at the speed of real time."""

import time

from ..clock import monotonic_ns
from ..features import SAMPLE_RATE_HZ

_LATE_NS = 500 * 1000 * 1000


class Pace:
    """Says when 16 kHz samples are due and waits for them.

    :param fast: not to wait at all; samples are then due when they are asked for
    """

    def __init__(self, fast=False):
        self._fast = fast
        self._start_ns = None
        self._position = 0

    def due(self, samples):
        """Waits until the next `samples` samples would have been heard; returns when the first was due, in ns."""
        now = monotonic_ns()
        if self._start_ns is None:
            self._start_ns = now
        first = self._start_ns + self._position * 1000000000 // SAMPLE_RATE_HZ
        self._position += samples
        if self._fast:
            return now
        last = self._start_ns + self._position * 1000000000 // SAMPLE_RATE_HZ
        if now > last + _LATE_NS:  # the writer paused or the machine slept: do not rush after it
            self._start_ns += now - last
            return first + now - last
        if last > now:
            time.sleep((last - now) / 1e9)
        return first
