"""Energy from power readings, integrated over monotonic time."""

from typing import NamedTuple, Optional

_LONGEST_S = 5.0  # between two readings; more is a gap, not a guess


class Taken(NamedTuple):
    """Energy of an interval."""

    joules: Optional[float]  # None: the power was never known
    known_s: float  # seconds with a known power
    gap_s: float  # seconds without


class Energy:
    """Adds up joules, with the mean of two readings for the time between them."""

    def __init__(self) -> None:
        self._last_s: Optional[float] = None
        self._last_mw: Optional[float] = None
        self.joules = 0.0
        self.known_s = 0.0
        self.gap_s = 0.0

    def add(self, time_s: float, total_mw: Optional[float]) -> None:
        """A reading at a monotonic time; None where the power is not known."""
        if self._last_s is not None:
            passed = time_s - self._last_s
            if self._last_mw is None or total_mw is None or passed > _LONGEST_S:
                self.gap_s += passed
            else:
                self.joules += passed * (self._last_mw + total_mw) / 2000.0
                self.known_s += passed
        self._last_s, self._last_mw = time_s, total_mw

    def take(self) -> Taken:
        """The energy since the last call."""
        joules = self.joules if self.known_s > 0 else None
        taken = Taken(joules, self.known_s, self.gap_s)
        self.joules = 0.0
        self.known_s = 0.0
        self.gap_s = 0.0
        return taken
