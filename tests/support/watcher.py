"""Watches a daemon's segment all the time: every frame, and how old the heartbeat grows."""

import threading
import time

from edgeface.core.clock import monotonic_ns
from edgeface.shm import reader as shm_reader

_PERIOD_S = 0.005


class Watcher:
    """A thread that looks at a segment 200 times a second.

    `frames`: every frame it saw, in order; `header`: the last one, empty without a writer;
    `oldest_s`: the greatest age of a heartbeat; `late_s`: how much later than it wanted this
    thread itself once looked.
    """

    def __init__(self, shm_name):
        self.frames, self.header, self.oldest_s, self.late_s = [], {}, 0.0, 0.0
        self._reader = shm_reader.Reader(shm_name)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        """Ends the thread."""
        self._ending.set()
        self._thread.join()
        self._reader.close()

    def _run(self):
        looked_s = time.monotonic()
        while not self._ending.wait(_PERIOD_S):
            now_s = time.monotonic()
            self.late_s = max(self.late_s, now_s - looked_s - _PERIOD_S)
            looked_s = now_s
            self._look()

    def _look(self):
        now_ns = monotonic_ns()
        header = self.header = self._reader.header() or {}
        if not header:
            return
        self.oldest_s = max(self.oldest_s, (now_ns - header["heartbeat_ns"]) / 1e9)
        latest = header["latest"]
        following = self.frames[-1].index + 2 if self.frames else latest
        # what was published since, as far as it is still there
        for number in range(max(following, latest - 6, 1), latest + 1):
            frame = shm_reader._read_slot(self._reader._segment, number)
            if frame is not None:
                self.frames.append(frame._replace(landmarks=None, blendshapes=None))
