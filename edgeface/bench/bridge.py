"""What bridges cost, and how much later than a frame is published its datagrams arrive."""

import os
import socket
import subprocess
import threading
import time
from typing import Any, List, NamedTuple, Sequence

import numpy as np

from ..bridge import ifacialmocap
from ..core.child import edgeface_command
from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import FRAME_MS, FRAME_RATE_HZ, MS_NS
from ..motion.frame import Frame
from ..shm.writer import Writer

_TIMEOUT_S = 20.0  # to the first datagram
_LONGEST_DATAGRAM = 4096
_HELLO = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
_PHONE, _CLIENT = "127.0.0.2", "127.0.0.3"  # two hosts, since both use one port
# the command line of each bridge that is measured; {} is the target
CASES = (
    ("livelink", "{}"),
    ("livelink", "{}", "--fps", "60"),
    ("vmc", "{}"),
    ("vmc", "{}", "--names", "vrm1"),
    ("osc", "{}"),
    ("osc", "{}", "--vrchat"),
    ("ifacialmocap", _PHONE),
)


class Cost(NamedTuple):
    """What a bridge was measured to cost, for a frame that it shows."""

    datagrams: float
    bytes: float
    cpu_ms: float  # of one core, the whole process
    latency_ms: np.ndarray  # float64: publishing of the newest frame to arrival, each datagram


class _Publisher:
    """Publishes frames again and again, 25 a second; a context manager."""

    def __init__(self, shm: str, frames: Sequence[Frame]) -> None:
        self.published_ns = 0
        self._frames = frames
        self._writer = Writer(shm, 0, 0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgeface-publish", daemon=True)

    def __enter__(self) -> "_Publisher":
        self._writer.open()
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stop.set()
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        due_s = time.monotonic()
        count = 0
        while not self._stop.wait(max(0.0, due_s - time.monotonic())):
            frame = self._frames[count % len(self._frames)]
            self.published_ns = self._writer.publish(frame, 0, 0)
            count += 1
            due_s += FRAME_MS / 1000


def measure_bridge(arguments: Sequence[str], frames: Sequence[Frame], seconds: float) -> Cost:
    """Runs `edgeface bridge ARGUMENTS` for so long, and listens in its target's place.

    :param frames: what is published, again and again
    :raises UnavailableError: nothing arrives
    """
    name = f"edgeface-bench-{os.getpid()}"
    phone = arguments[0] == "ifacialmocap"
    fps = int(arguments[arguments.index("--fps") + 1]) if "--fps" in arguments else FRAME_RATE_HZ
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((_CLIENT, ifacialmocap.PORT) if phone else ("127.0.0.1", 0))
        target = f"127.0.0.1:{receiver.getsockname()[1]}"
        command = [argument.format(target) for argument in arguments]
        with _Publisher(name, frames) as publisher:
            process = subprocess.Popen(
                edgeface_command("bridge", *command, "--shm", name),
                stderr=subprocess.DEVNULL,
            )
            try:
                _await(receiver, phone)
                return _listen(receiver, publisher, process.pid, fps, seconds)
            finally:
                process.terminate()
                process.wait()


def _await(receiver: socket.socket, phone: bool) -> None:
    """Waits for the first datagram; asks a phone for it."""
    receiver.settimeout(0.2)
    end_s = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < end_s:
        try:
            if phone:
                receiver.sendto(_HELLO, (_PHONE, ifacialmocap.PORT))
            receiver.recv(_LONGEST_DATAGRAM)
            return
        except OSError:  # nothing yet, or nobody there yet
            pass
    raise UnavailableError(f"bench bridge: nothing arrived within {_TIMEOUT_S:.0f} s")


def _listen(
    receiver: socket.socket, publisher: _Publisher, pid: int, fps: int, seconds: float
) -> Cost:
    size = 0
    latency_ms: List[float] = []
    began_s, began_ms = time.monotonic(), _cpu_ms(pid)
    while time.monotonic() - began_s < seconds:
        try:
            size += len(receiver.recv(_LONGEST_DATAGRAM))
        except socket.timeout:
            continue
        latency_ms.append((monotonic_ns() - publisher.published_ns) / MS_NS)
    shown = fps * (time.monotonic() - began_s)
    return Cost(
        datagrams=len(latency_ms) / shown,
        bytes=size / shown,
        cpu_ms=(_cpu_ms(pid) - began_ms) / shown,
        latency_ms=np.array(latency_ms),
    )


def _cpu_ms(pid: int) -> float:
    """How long all threads of a process have run."""
    folder = f"/proc/{pid}/task"
    total_ns = 0
    for thread in os.listdir(folder):
        with open(f"{folder}/{thread}/schedstat") as file:
            total_ns += int(file.read().split()[0])
    return total_ns / MS_NS
