"""When a sample was captured, from the jittery times at which blocks arrive.

A delay-locked loop of second order, after F. Adriaensen, "Using a DLL to filter
time" (2005).
"""

import math
from typing import Optional, Tuple

from ..core.rates import MS_NS, SECOND_NS

_BANDWIDTH_HZ = 0.1
_FAST_BANDWIDTH_HZ = 1.0  # while it settles
_SETTLING_S = 4.0
_LARGEST_DEVIATION = 0.001  # no crystal is worse
_STEP_NS = 100 * MS_NS  # a larger error is a jump, not jitter
_COLLECTING_NS = 200 * MS_NS


class SampleClock:
    """Maps positions of a stream to times of CLOCK_MONOTONIC.

    :param rate_hz: nominal rate of the stream
    """

    def __init__(self, rate_hz: int) -> None:
        self._nominal_ns = SECOND_NS / rate_hz  # of a sample
        self._period_ns = self._nominal_ns
        self._position: Optional[int] = None
        self._ns = 0.0  # of the position
        self._age_s = 0.0

    def update(self, position: int, ns: int) -> None:
        """Takes the time at which the sample at a position was captured, about.

        :param position: higher than in the call before
        :param ns: CLOCK_MONOTONIC in ns
        """
        if self._position is None:
            self._restart(position, ns)
            return
        samples = position - self._position
        if samples <= 0:
            return
        predicted = self._ns + samples * self._period_ns
        error = ns - predicted
        if abs(error) > _STEP_NS:
            self._restart(position, ns)
            return
        passed_s = samples * self._nominal_ns / SECOND_NS
        self._age_s += passed_s
        band = _FAST_BANDWIDTH_HZ if self._age_s < _SETTLING_S else _BANDWIDTH_HZ
        omega = min(0.5, 2 * math.pi * band * passed_s)
        self._ns = predicted + math.sqrt(2) * omega * error
        shortest = self._nominal_ns * (1.0 - _LARGEST_DEVIATION)
        longest = self._nominal_ns * (1.0 + _LARGEST_DEVIATION)
        period = self._period_ns + omega * omega * error / samples
        self._period_ns = max(shortest, min(longest, period))
        self._position = position

    def ns(self, position: float) -> int:
        """Time of a position, which may lie between samples, in ns; only after `update`."""
        assert self._position is not None, "update it first"
        return int(self._ns + (position - self._position) * self._period_ns)

    def position(self, ns: int) -> float:
        """Position that belongs to a time in ns; only after `update`."""
        assert self._position is not None, "update it first"
        return self._position + (ns - self._ns) / self._period_ns

    def _restart(self, position: int, ns: int) -> None:
        self._position = position
        self._ns = float(ns)
        self._period_ns = self._nominal_ns
        self._age_s = 0.0


class ArrivalClock(SampleClock):
    """A `SampleClock` for times that may be too late, by any amount, but never too early.

    Of all that come within 0.2 s only the earliest counts.
    """

    def __init__(self, rate_hz: int) -> None:
        super().__init__(rate_hz)
        self._earliest: Optional[Tuple[int, int]] = None  # (position, ns) of the current 0.2 s
        self._until_ns = 0

    def update(self, position: int, ns: int) -> None:
        """Takes the time at which the sample at a position arrived; as `SampleClock.update`."""
        if self._earliest is None:
            super().update(position, ns)
            self._collect(position, ns)
            return
        first_position, first_ns = self._earliest
        if ns >= self._until_ns:
            super().update(first_position, first_ns)
            self._collect(position, ns)
        elif ns < first_ns + (position - first_position) * self._nominal_ns:
            self._earliest = (position, ns)

    def _collect(self, position: int, ns: int) -> None:
        self._earliest = (position, ns)
        self._until_ns = ns + _COLLECTING_NS
