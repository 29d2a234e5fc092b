"""The line that says how far many files are."""

import datetime
from typing import Optional

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SECOND_NS
from ..core.stdio import LineWriter
from .job import FAILED, KEPT, MADE, Outcome

_PERIOD_NS = 200 * MS_NS
_BAR = 30  # characters


class Progress:
    """Counts outcomes and, on a terminal, rewrites one line a few times a second.

    :param total: files in all
    :param terminal: None where there is none
    """

    def __init__(self, total: int, terminal: Optional[LineWriter] = None) -> None:
        self._total = total
        self._terminal = terminal
        self._count = {MADE: 0, KEPT: 0, FAILED: 0}
        self._sound_s = 0.0
        self._began_ns = monotonic_ns()
        self._next_ns = 0

    def add(self, outcome: Outcome) -> None:
        """Counts one, and writes the line if it is time."""
        self._count[outcome.state] += 1
        self._sound_s += outcome.sound_s
        now = monotonic_ns()
        if self._terminal and now >= self._next_ns and self._terminal.is_idle:
            self._next_ns = now + _PERIOD_NS
            done = sum(self._count.values())
            bar = "#" * (_BAR * done // self._total)
            line = f"|{bar:-<{_BAR}}| {done} of {self._total}: {self.summary()}"
            self._terminal.write(f"\r{line}\x1b[K")

    def summary(self) -> str:
        """Such as `8 made, 2 kept, 1 failed; 0:10:00 of sound in 0:00:02, 300 x real time`."""
        passed_s = (monotonic_ns() - self._began_ns) / SECOND_NS
        count = ", ".join(f"{count} {state}" for state, count in self._count.items())
        return (
            f"{count}; {_shown(self._sound_s)} of sound in {_shown(passed_s)},"
            f" {self._sound_s / max(passed_s, 1e-3):.0f} x real time"
        )

    def close(self) -> None:
        """Clears the line."""
        if self._terminal:
            self._terminal.write("\r\x1b[K")
            self._terminal.flush()


def _shown(seconds: float) -> str:
    return str(datetime.timedelta(seconds=int(seconds)))
