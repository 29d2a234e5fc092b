"""A daemon as its users meet it: start, memory, latency, evenness."""

import os
import subprocess
import time
from typing import Any, Tuple

import numpy as np

from ..core.child import edgeface_command
from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError, one_line
from ..core.rates import MS_NS
from ..shm.reader import Reader

_START_TIMEOUT_S = 20.0


class DaemonProcess:
    """`edgeface run` as a child process, with a reader attached; a context manager.

    :param arguments: of `edgeface run`, without --shm
    """

    def __init__(self, *arguments: str) -> None:
        name = f"edgeface-bench-{os.getpid()}"
        self._began_s = time.monotonic()
        self._process = subprocess.Popen(
            edgeface_command("run", "--shm", name, *arguments),
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.reader = Reader(name)

    def __enter__(self) -> "DaemonProcess":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.reader.close()
        self._process.terminate()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def start_s(self) -> float:
        """Waits for the first frame; seconds from the start of the process to it.

        :raises UnavailableError: the daemon ended, or none came in time
        """
        while self.reader.read() is None:
            passed_s = time.monotonic() - self._began_s
            if self._process.poll() is not None and self._process.stderr is not None:
                reason = one_line(self._process.stderr.read())
                raise UnavailableError(f"the daemon did not start: {reason}")
            if passed_s > _START_TIMEOUT_S:
                raise UnavailableError(
                    f"the daemon did not start: no frame within {_START_TIMEOUT_S:.0f} s"
                )
            time.sleep(0.001)
        return time.monotonic() - self._began_s

    def memory_mb(self) -> float:
        """Resident memory of the process in MB."""
        with open(f"/proc/{self._process.pid}/statm") as file:
            pages = int(file.read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def watch(self, seconds: float) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Reads every frame for so long.

        :return: latency, intervals of publishing and delay of reading, each float64 [frames] in ms
        """
        latency, published, delay = [], [], []
        end_s = time.monotonic() + seconds
        last_index = -1
        while time.monotonic() < end_s:
            frame = self.reader.read()
            if frame is not None and frame.index != last_index:
                delay.append((monotonic_ns() - frame.publish_ns) / MS_NS)
                latency.append((frame.publish_ns - frame.audio_ns) / MS_NS)
                published.append(frame.publish_ns / MS_NS)
                last_index = frame.index
            time.sleep(0.002)
        return np.array(latency), np.diff(published), np.array(delay)
