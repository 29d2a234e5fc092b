"""When a sample was captured, from the jittery times at which blocks arrive.

A delay-locked loop of second order, after F. Adriaensen, "Using a DLL to filter
time" (2005).
"""

import math

_BANDWIDTH_HZ = 0.1
_FAST_BANDWIDTH_HZ = 1.0  # while it settles
_SETTLING_S = 4.0
_MOST = 0.001  # no crystal is worse
_STEP_NS = 100e6  # a larger error is a jump, not jitter
_COLLECTING_NS = 200 * 1000 * 1000


class SampleClock:
    """Maps positions of a stream to ns of CLOCK_MONOTONIC.

    :param rate_hz: nominal rate of the stream
    """

    def __init__(self, rate_hz):
        self._nominal = 1e9 / rate_hz
        self._position = None

    def update(self, position, ns):
        """Says that sample `position` (int) was captured about at `ns`; positions must rise."""
        if self._position is None:
            self._restart(position, ns)
            return
        samples = position - self._position
        if samples <= 0:
            return
        predicted = self._ns + samples * self._period
        error = ns - predicted
        if abs(error) > _STEP_NS:
            self._restart(position, ns)
            return
        passed_s = samples * self._nominal / 1e9
        self._age_s += passed_s
        band = _FAST_BANDWIDTH_HZ if self._age_s < _SETTLING_S else _BANDWIDTH_HZ
        omega = min(0.5, 2 * math.pi * band * passed_s)
        self._ns = predicted + math.sqrt(2) * omega * error
        period = self._period + omega * omega * error / samples
        self._period = max(
            self._nominal * (1.0 - _MOST), min(self._nominal * (1.0 + _MOST), period)
        )
        self._position = position

    def ns(self, position):
        """Time of a position, which may lie between samples; int, only after the first `update`."""
        return int(self._ns + (position - self._position) * self._period)

    def position(self, ns):
        """Position, float, that this time belongs to; only after the first `update`."""
        return self._position + (ns - self._ns) / self._period

    def _restart(self, position, ns):
        self._position, self._ns = position, float(ns)
        self._period, self._age_s = self._nominal, 0.0


class ArrivalClock(SampleClock):
    """A `SampleClock` for times of which each may be too late, by any amount, but none too early.

    Of all that come within 0.2 s only the earliest counts.
    """

    _earliest = None

    def update(self, position, ns):
        """Says that sample `position` (int) arrived at `ns`; positions must rise."""
        if self._earliest is None:
            super().update(position, ns)
            self._earliest, self._until_ns = (position, ns), ns + _COLLECTING_NS
        elif ns >= self._until_ns:
            super().update(*self._earliest)
            self._earliest, self._until_ns = (position, ns), ns + _COLLECTING_NS
        elif ns < self._earliest[1] + (position - self._earliest[0]) * self._nominal:
            self._earliest = position, ns
