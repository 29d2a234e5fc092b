"""The processes of stages: what they print, and how they are stopped."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import Iterator, List, Optional

from edgeface.core.errors import EdgefaceError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_S = 10.0  # for a process that was asked to end


class Stopped(EdgefaceError):
    """A signal asked to end."""

    def __init__(self, number: int):
        super().__init__(
            f"stopped by {signal.Signals(number).name}; the same command goes on from there"
        )
        self.exit_code = 128 + number


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within it a signal that asks to end raises `Stopped`, once; those after it do nothing."""

    def stop(number: int, frame: Optional[FrameType]) -> None:
        for one in old:
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(number)

    # of what is ignored, such as SIGHUP under nohup, nothing is wanted
    old = {one: signal.getsignal(one) for one in _SIGNALS}
    old = {one: handler for one, handler in old.items() if handler != signal.SIG_IGN}
    for one in old:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, handler in old.items():
            signal.signal(one, handler)


class Processes:
    """Runs modules, each in a process group of its own.

    :param at_once: how many run at once, at most. Of several, each gets its share of the cores, and
        each line that they print gets their name in front
    """

    def __init__(self, at_once: int):
        self._named = at_once > 1
        self._environment = dict(os.environ)
        if self._named:
            # more threads than cores wait for each other
            share = max(1, (os.cpu_count() or 1) // at_once)
            self._environment.setdefault("OMP_NUM_THREADS", str(share))
            self._environment["PYTHONUNBUFFERED"] = "1"  # lines come when they are printed
        self._lock = threading.Lock()
        self._running: List[subprocess.Popen] = []
        self._stopped = False

    def run(self, name: str, arguments: List[str]) -> int:
        """Runs a module to its end; in any thread.

        :param arguments: module and arguments
        :return: exit status, negative for a signal
        """
        process = self._start(arguments)
        if process is None:
            return -signal.SIGTERM
        if process.stdout is not None:
            with process.stdout as lines:
                for line in lines:
                    # one piece, or lines of two stages could mix
                    print(f"{name}: {line.rstrip()}\n", end="", flush=True)
        status = process.wait()
        with self._lock:
            self._running.remove(process)
        return status

    def _start(self, arguments: List[str]) -> Optional[subprocess.Popen]:
        """A new process, None after `stop`."""
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,  # which only the foreground may read
                stdout=subprocess.PIPE if self._named else None,
                stderr=subprocess.STDOUT if self._named else None,
                env=self._environment,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self._running.append(process)
            return process

    def stop(self) -> None:
        """Ends all that run, with what they have started; later ones do not start."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            process.terminate()  # it removes what is half written
        deadline_s = time.monotonic() + _PATIENCE_S
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline_s - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
