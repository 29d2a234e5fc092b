"""Plays what could come at once at the speed of real time."""

import time

from ..core.clock import monotonic_ns
from ..core.rates import SAMPLE_RATE_HZ


class Pace:
    """Says when 16 kHz samples are due and waits for them.

    :param fast: not to wait at all; samples are then due when they are asked for
    :param late_ns: how late samples may be asked for before the rest moves back
        with them: nobody rushes after a writer that paused or a machine that slept
    """

    def __init__(self, fast=False, late_ns=500 * 1000 * 1000):
        self._fast, self._late_ns = fast, late_ns
        self._next_ns = None

    def due(self, samples, speed=1.0):
        """Waits until the next `samples` samples would have been heard; returns when the first was due, in ns.

        :param speed: how much faster than real time these samples pass
        """
        now = monotonic_ns()
        if self._fast:
            return now
        first = now if self._next_ns is None else self._next_ns
        duration = int(samples * 1e9 / (SAMPLE_RATE_HZ * speed))
        if now > first + duration + self._late_ns:
            first = now - duration
        self._next_ns = first + duration
        if self._next_ns > now:
            time.sleep((self._next_ns - now) / 1e9)
        return first
