"""tegrastats as a child process that may die, hang, flood or write garbage."""

import os
import select
import subprocess
import threading
from typing import Optional, Sequence, Tuple

from ..core.clock import monotonic_ns
from ..core.rates import SECOND_NS
from .tegrastats import Tegrastats, parse_tegrastats

_FRESH_NS = 5 * SECOND_NS  # a line is valid for so long, and a child without one hangs
_FLOOD_BYTES = 64 * 1024  # a second; tegrastats writes some 400
_PAUSES_S = (1.0, 60.0)  # before a restart: first, longest
_WORKED_NS = 60 * SECOND_NS  # after so long the pauses begin with the first one again
_LONGEST_LINE = 8192


class TegrastatsChild:
    """Keeps the newest line of tegrastats, which is restarted whenever it misbehaves.

    It runs in the foreground with a pipe: tegrastats' own --start and --stop
    are global and would end other programs' instances. The pauses before a restart grow.

    :param command: list of arguments
    :param pauses_s: pause before a restart: first, longest
    """

    def __init__(self, command: Sequence[str], pauses_s: Tuple[float, float] = _PAUSES_S):
        self._command = command
        self._pauses_s = pauses_s
        self._latest: Optional[Tuple[int, Tegrastats]] = None  # and when it came, ns
        self.restarts = 0
        self.unknown_tokens = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._keep_running, name="edgeface-tegrastats", daemon=True
        )
        self._thread.start()

    def latest(self) -> Optional[Tegrastats]:
        """The newest line's values; None when none came in the last seconds."""
        latest = self._latest
        if latest is None or monotonic_ns() - latest[0] > _FRESH_NS:
            return None
        return latest[1]

    def close(self) -> None:
        """Ends the child."""
        self._stop.set()
        self._thread.join(3.0)

    def _keep_running(self) -> None:
        first_pause_s, longest_pause_s = self._pauses_s
        pause_s = first_pause_s
        while not self._stop.is_set():
            began_ns = monotonic_ns()
            before = self._latest
            try:
                self._run_once()
            except OSError:
                pass  # cannot be started: tried again like one that died
            if self._stop.is_set():
                return
            if self._latest is not before and monotonic_ns() - began_ns > _WORKED_NS:
                pause_s = first_pause_s
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, longest_pause_s)
            self.restarts += 1

    def _run_once(self) -> None:
        child = subprocess.Popen(
            self._command,
            env=dict(os.environ, LC_ALL="C"),  # numbers with a point
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        output = child.stdout
        assert output is not None
        try:
            self._read_lines(output.fileno())
        finally:
            child.kill()
            child.wait()
            output.close()

    def _read_lines(self, file: int) -> None:
        """Until end, hang or flood."""
        rest = b""
        last_line_ns = monotonic_ns()
        second_ns = last_line_ns
        bytes_in_second = 0
        while not self._stop.is_set():
            ready, _, _ = select.select([file], [], [], 0.5)
            now = monotonic_ns()
            if not ready:
                if now - last_line_ns > _FRESH_NS:
                    return
                continue
            data = os.read(file, 4096)
            if not data:
                return
            if now - second_ns > SECOND_NS:
                second_ns = now
                bytes_in_second = 0
            bytes_in_second += len(data)
            if bytes_in_second > _FLOOD_BYTES:
                return
            lines = (rest + data).split(b"\n")
            rest = lines.pop()[-_LONGEST_LINE:]
            for line in lines:
                values = parse_tegrastats(line.decode("ascii", "replace"))
                self.unknown_tokens += len(values.unknown)
                # every real line has it; garbage is no sign of life
                if values.ram_total_mb is not None:
                    last_line_ns = now
                    self._latest = (now, values)
