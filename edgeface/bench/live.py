"""A daemon as its users meet it: start, memory, latency, evenness."""

import os
import subprocess
import sys
import time

import numpy as np

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..shm.reader import Reader

_PATIENCE_S = 20.0


class Daemon:
    """`edgeface run` as a child process, with a reader attached; a context manager.

    :param arguments: of `edgeface run`, without --shm
    """

    def __init__(self, *arguments):
        self._name = f"edgeface-bench-{os.getpid()}"
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edgeface", "run", "--shm", self._name] + list(arguments),
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.reader = Reader(self._name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.reader.close()
        self._process.terminate()
        self._process.wait()
        self._process.stderr.close()

    def start_s(self):
        """Waits for the first frame; seconds from the start of the process to it."""
        while self.reader.read() is None:
            if self._process.poll() is not None or time.monotonic() - self._began > _PATIENCE_S:
                raise UnavailableError(
                    "the daemon did not start: %s"
                    % (
                        self._process.stderr.read().strip()
                        if self._process.poll() is not None
                        else "no frame within %d s" % _PATIENCE_S
                    )
                )
            time.sleep(0.001)
        return time.monotonic() - self._began

    def memory_mb(self):
        """Resident memory of the process in MB."""
        with open(f"/proc/{self._process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def watch(self, seconds):
        """Reads every frame; returns arrays of latency, publishing interval and reading delay in ms."""
        latency, published, delay, end = [], [], [], time.monotonic() + seconds
        seen = -1
        while time.monotonic() < end:
            frame = self.reader.read()
            if frame is not None and frame.index != seen:
                delay.append((monotonic_ns() - frame.publish_ns) / 1e6)
                latency.append((frame.publish_ns - frame.audio_ns) / 1e6)
                published.append(frame.publish_ns / 1e6)
                seen = frame.index
            time.sleep(0.002)
        return np.array(latency), np.diff(published), np.array(delay)
