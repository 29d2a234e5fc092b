"""A daemon as its users meet it: start, memory, what it costs, latency, evenness."""

import contextlib
import os
import subprocess
import time
from typing import Any, Dict, Iterator, NamedTuple, Tuple

import numpy as np

from ..core.child import edgeface_command, python_command
from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError, one_line
from ..core.rates import MS_NS
from ..shm.reader import Reader
from ..telemetry.log import read_log

_START_TIMEOUT_S = 20.0
# a renderer without a picture: works through 64 MB, rests as long as that took, begins again
_NEIGHBOUR = """
import time
import numpy as np
pixels = np.zeros(16 << 20, np.float32)
while True:
    began = time.monotonic()
    pixels += 1.0
    time.sleep(time.monotonic() - began)
"""


class LiveCost(NamedTuple):
    """What a daemon took from the machine while it ran in real time."""

    cpu_ms: float  # of all its threads, a frame
    wakeups: float  # of all its threads, a second


class DaemonProcess:
    """`edgeface run` as a child process, with a reader attached; a context manager.

    :param arguments: of `edgeface run`, without --shm; the source `-` is silent
    """

    def __init__(self, *arguments: str) -> None:
        stdin, self._never_written = os.pipe()
        name = f"edgeface-bench-{os.getpid()}"
        self._began_s = time.monotonic()
        self._process = subprocess.Popen(
            edgeface_command("run", "--shm", name, *arguments),
            stdin=stdin,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        os.close(stdin)
        self.reader = Reader(name)

    def __enter__(self) -> "DaemonProcess":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.reader.close()
        self._process.terminate()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        os.close(self._never_written)

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

    def cost(self, seconds: float) -> LiveCost:
        """What it takes during so many seconds, by the kernel's accounting of its threads.

        :raises UnavailableError: it ended before
        """
        before = self._taken()
        time.sleep(seconds)
        after = self._taken()
        frames, cpu_ns, wakeups = (late - early for late, early in zip(after, before))
        return LiveCost(cpu_ns / MS_NS / max(frames, 1), wakeups / seconds)

    def _taken(self) -> Tuple[int, int, int]:
        """Frames, ns of CPU time and times that a thread woke up, since the start."""
        header = self.reader.header()
        if header is None:
            raise UnavailableError("the daemon ended before it was measured")
        cpu_ns = wakeups = 0
        folder = f"/proc/{self._process.pid}/task"
        for thread in os.listdir(folder):
            with contextlib.suppress(OSError):  # it has ended since
                with open(f"{folder}/{thread}/schedstat") as file:
                    cpu_ns += int(file.read().split()[0])
                with open(f"{folder}/{thread}/status") as file:
                    lines = dict(line.split(":", 1) for line in file)
                wakeups += int(lines["voluntary_ctxt_switches"])
        return header["latest"], cpu_ns, wakeups

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


def stages_ms(folder: str) -> Dict[str, float]:
    """Elapsed ms of each stage of a frame, from the log of a daemon.

    :return: medians of the medians of all intervals, by stage
    """
    objects, _ = read_log(folder)
    return {
        stage: float(np.median([one["latency_ms"][stage]["p50"] for one in objects]))
        for stage in ("features", "encoder", "motion", "publish")
    }


@contextlib.contextmanager
def busy_neighbour() -> Iterator[None]:
    """A process that works half of the time and empties the caches, while the block runs."""
    process = subprocess.Popen(python_command(_NEIGHBOUR))
    try:
        yield
    finally:
        process.kill()
        process.wait()
