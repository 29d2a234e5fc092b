"""The live status line of `edgeface run` on a terminal."""

from collections import deque
from typing import Deque, Tuple

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SECOND_NS
from ..core.stdio import LineWriter
from ..shm.layout import state_name
from .stats import Stats

_PERIOD_NS = 200 * MS_NS
_AVERAGE_OVER = 10  # periods
_BAR = 20  # characters, 3 dB each, from -60 dBFS


class StatusLine:
    """Rewrites one line of a terminal a few times a second.

    :param terminal: neither blocks nor fails
    """

    def __init__(self, terminal: LineWriter) -> None:
        self._terminal = terminal
        self._next_ns = 0
        self._history: Deque[Tuple[int, int]] = deque(maxlen=_AVERAGE_OVER + 1)

    def update(self, stats: Stats) -> None:
        """Writes the line if it is time."""
        now = monotonic_ns()
        if now < self._next_ns or not self._terminal.is_idle:
            return
        self._next_ns = now + _PERIOD_NS
        self._history.append((now, stats.published))
        began, before = self._history[0]
        fps = (stats.published - before) * SECOND_NS / (now - began) if now > began else 0.0
        bar = "#" * max(0, min(_BAR, int((stats.level_dbfs + 60) / 3)))
        self._terminal.write(
            f"\r{state_name(stats.state):8} {fps:5.1f} fps"
            f"  latency {stats.latency_ns / MS_NS:4.0f} ms"
            f"  level {stats.level_dbfs:4.0f} dBFS |{bar:{_BAR}}|"
            f"  dropped {stats.dropped_samples} \x1b[K"
        )

    def close(self) -> None:
        """Leaves the line."""
        self._terminal.write("\n")
