"""Holds sound that could come at once to the speed of real time."""

import time
from typing import Optional

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SAMPLE_RATE_HZ, SECOND_NS


class Pace:
    """Says when 16 kHz samples are due, and waits for them.

    :param fast: do not wait at all; samples are then due when they are asked for
    :param slack_ns: how late samples may be asked for before all later ones are moved with
        them: after a writer that paused or a machine that slept, nobody hurries to catch up
    """

    def __init__(self, fast: bool = False, slack_ns: int = 500 * MS_NS) -> None:
        self._fast = fast
        self._slack_ns = slack_ns
        self._next_ns: Optional[int] = None

    def wait(self, samples: int, speed: float = 1.0) -> int:
        """Waits until the next `samples` samples would have been heard.

        :param speed: how much faster than real time these samples pass
        :return: when the first of them was due, CLOCK_MONOTONIC in ns
        """
        now = monotonic_ns()
        if self._fast:
            return now
        first_ns = now if self._next_ns is None else self._next_ns
        duration_ns = int(samples * SECOND_NS / (SAMPLE_RATE_HZ * speed))
        if now > first_ns + duration_ns + self._slack_ns:
            first_ns = now - duration_ns
        self._next_ns = first_ns + duration_ns
        if self._next_ns > now:
            time.sleep((self._next_ns - now) / SECOND_NS)
        return first_ns
