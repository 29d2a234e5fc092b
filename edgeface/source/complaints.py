"""What child processes write to their standard error: read, bounded, a few lines of it reported."""

import logging
import os
import select
import threading
import time
from typing import IO

from ..core.errors import one_line

_LOG = logging.getLogger(__name__)
_CHUNK_BYTES = 65536
_KEPT_BYTES = 4096
_POLL_S = 0.2
_PAUSE_S = 0.05  # after a piece: a program that floods waits, and costs us nothing
_LONGEST_LINE = 120
_MOST_LINES = 3
_PERIOD_S = 600.0
_JOIN_S = 0.2


class Budget:
    """How many lines of a source's programs may be reported: three in ten minutes.

    :param name: what messages name
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines = 0
        self._since_s = time.monotonic()

    def report(self, line: str) -> None:
        """Reports a line, or drops it."""
        now_s = time.monotonic()
        if now_s - self._since_s > _PERIOD_S:
            self._lines, self._since_s = 0, now_s
        self._lines += 1
        if self._lines <= _MOST_LINES:
            _LOG.warning("%s says: %s", self._name, line, extra={"event": "source_stderr"})


class Complaints:
    """Reads a pipe in a thread of its own until its end.

    :param pipe: the reading end; closed here
    :param budget: takes the lines
    """

    def __init__(self, pipe: IO[bytes], budget: Budget) -> None:
        self._pipe = pipe
        self._budget = budget
        self._last = b""  # line that is complete
        self._rest = b""  # of a line that is not
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, name="edgeface-stderr", daemon=True)
        self._thread.start()

    def last_line(self) -> str:
        """The last line that is not empty, shortened; waits briefly for what the end left."""
        self._thread.join(_JOIN_S)
        return _shown(self._rest) or _shown(self._last)

    def close(self) -> None:
        """Ends the thread soon."""
        self._closing.set()

    def _read(self) -> None:
        with self._pipe:
            while not self._closing.is_set():
                ready, _, _ = select.select([self._pipe], [], [], _POLL_S)
                if not ready:
                    continue
                data = os.read(self._pipe.fileno(), _CHUNK_BYTES)
                if not data:
                    return
                self._take(data)
                self._closing.wait(_PAUSE_S)

    def _take(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_KEPT_BYTES:]
        lines = [line for line in lines[-_MOST_LINES:] if line.strip()]
        for line in lines:
            self._last = line[-_KEPT_BYTES:]
            self._budget.report(_shown(self._last))


def _shown(line: bytes) -> str:
    text = "".join(c if c.isprintable() else " " for c in line.decode("utf-8", "replace"))
    return one_line(text, _LONGEST_LINE)
