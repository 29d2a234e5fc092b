"""Energy from power readings, integrated over monotonic time."""

_LONGEST_S = 5.0  # between two readings; more is a gap, not a guess


class Energy:
    """Adds up joules; each reading holds until the next one."""

    def __init__(self):
        self._last_s = self._last_mw = None
        self.joules = 0.0
        self.known_s = 0.0
        self.gap_s = 0.0

    def add(self, time_s, total_mw):
        """A reading at a monotonic time; None where the power is not known."""
        if self._last_s is not None:
            passed = time_s - self._last_s
            if self._last_mw is None or total_mw is None or passed > _LONGEST_S:
                self.gap_s += passed
            else:
                self.joules += passed * (self._last_mw + total_mw) / 2000.0
                self.known_s += passed
        self._last_s, self._last_mw = time_s, total_mw

    def take(self):
        """(joules or None when no power was known, seconds known, seconds missing) since the last call."""
        taken = (self.joules if self.known_s > 0 else None, self.known_s, self.gap_s)
        self.joules = self.known_s = self.gap_s = 0.0
        return taken
