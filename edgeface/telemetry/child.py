"""tegrastats as a child process that may die, hang, flood or write garbage."""

import os
import select
import subprocess
import threading

from ..core.clock import monotonic_ns
from .tegrastats import parse_tegrastats

_FRESH_NS = 5 * 1000 * 1000 * 1000  # a line is valid for so long, and a child without one hangs
_FLOOD_BYTES = 64 * 1024  # a second; tegrastats writes some 400
_PAUSES_S = (1.0, 60.0)  # before a restart: first, longest
_LONGEST_LINE = 8192


class TegrastatsChild:
    """Keeps the newest line of a child that is restarted, with growing pauses, whenever it misbehaves.

    It runs in the foreground with a pipe: tegrastats' own --start and --stop
    are global and would end other programs' instances.

    :param command: list of arguments
    :param pauses_s: pause before a restart: first, longest
    """

    def __init__(self, command, pauses_s=_PAUSES_S):
        self._command, self._pauses_s = command, pauses_s
        self._latest = None  # (ns, Tegrastats)
        self.restarts = 0
        self.unknown_tokens = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._keep_running, name="edgeface-tegrastats", daemon=True
        )
        self._thread.start()

    def latest(self):
        """`tegrastats.Tegrastats` of the newest line; None when there is none of the last seconds."""
        latest = self._latest
        if latest is None or monotonic_ns() - latest[0] > _FRESH_NS:
            return None
        return latest[1]

    def close(self):
        """Ends the child."""
        self._stop.set()
        self._thread.join(3.0)

    def _keep_running(self):
        pause_s = self._pauses_s[0]
        while not self._stop.is_set():
            began, had = monotonic_ns(), self._latest
            try:
                self._run_once()
            except OSError:
                pass  # cannot be started: tried again like one that died
            if self._stop.is_set():
                return
            worked = self._latest is not had and monotonic_ns() - began > 60 * 10**9
            pause_s = self._pauses_s[0] if worked else pause_s
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, self._pauses_s[1])
            self.restarts += 1

    def _run_once(self):
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._read_lines(child.stdout.fileno())
        finally:
            child.kill()
            child.wait()
            child.stdout.close()

    def _read_lines(self, file):
        """Until end, hang or flood."""
        rest, heard_ns, second_ns, bytes_in_second = b"", monotonic_ns(), monotonic_ns(), 0
        while not self._stop.is_set():
            ready, _, _ = select.select([file], [], [], 0.5)
            now = monotonic_ns()
            if not ready:
                if now - heard_ns > _FRESH_NS:
                    return
                continue
            data = os.read(file, 4096)
            if not data:
                return
            if now - second_ns > 10**9:
                second_ns, bytes_in_second = now, 0
            bytes_in_second += len(data)
            if bytes_in_second > _FLOOD_BYTES:
                return
            lines = (rest + data).split(b"\n")
            rest = lines.pop()[-_LONGEST_LINE:]
            for line in lines:
                values = parse_tegrastats(line.decode("ascii", "replace"))
                self.unknown_tokens += len(values.unknown)
                if (
                    values.ram_total_mb is not None
                ):  # every real line has it; garbage is no sign of life
                    heard_ns = now
                    self._latest = (now, values)
