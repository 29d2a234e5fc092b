"""The live status line of `edgeface run` on a terminal."""

import sys

from ..core.clock import monotonic_ns
from ..shm.layout import STATE_NAMES

_PERIOD_NS = 200 * 1000 * 1000
_AVERAGE_OVER = 10  # periods


class StatusLine:
    """Rewrites one line of a terminal a few times a second."""

    def __init__(self, stream=sys.stderr):
        self._stream = stream
        self._next_ns = 0
        self._history = []

    def update(self, stats):
        """Writes the line if it is time; of a `stats.Stats`."""
        now = monotonic_ns()
        if now < self._next_ns:
            return
        self._next_ns = now + _PERIOD_NS
        self._history = self._history[-_AVERAGE_OVER:] + [(now, stats.published)]
        (then, before), (now, published) = self._history[0], self._history[-1]
        fps = (published - before) * 1e9 / (now - then) if now > then else 0.0
        bar = "#" * max(0, min(20, int((stats.level_dbfs + 60) / 3)))
        self._stream.write(
            f"\r{STATE_NAMES[stats.state]:8} {fps:5.1f} fps  latency {stats.latency_ns / 1e6:4.0f} ms  level {stats.level_dbfs:4.0f} dBFS |{bar:20}|  dropped {stats.dropped_samples} \x1b[K"
        )
        self._stream.flush()

    def close(self):
        """Leaves the line."""
        self._stream.write("\n")
