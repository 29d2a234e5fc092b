"""Runs checks where they can do no harm: what they import may crash, hang or write to stderr."""

import contextlib
import json
import os
import select
import signal
import tempfile
import time
from typing import IO, Any, Callable, Iterable, Iterator, NamedTuple, NoReturn, Sequence

from ..core.errors import EdgefaceError, one_line
from .finding import BAD, Finding

_LONGEST_S = 120.0  # of a check: a GPU's libraries take a while
_LIBRARIES = "see the libraries above"
_LAST_WORDS = 160  # characters of what a check that died wrote


class Task(NamedTuple):
    """A check by the name that is shown where it fails."""

    name: str
    run: Callable[[], Iterable[Finding]]


def isolated(tasks: Sequence[Task], longest_s: float = _LONGEST_S) -> Iterator[Finding]:
    """Runs tasks one after the other in a child process; yields findings as they are known.

    The child's output goes nowhere. When a task ends or blocks the child, that is its finding, and
    a new child goes on with the next one.

    :param longest_s: how long a task may take
    """
    remaining = list(tasks)
    while remaining:
        child = _Child(remaining)
        try:
            yield from child.findings(longest_s)
            reason = child.end()
        finally:
            child.close()
        if not reason:
            return
        yield Finding(remaining[child.task].name, BAD, reason, _fix_for(reason))
        remaining = remaining[child.task + 1 :]


class _Child:
    """A process that runs tasks and reports through a pipe, a line of JSON at a time.

    `task`: number of the one that it is at.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.task = 0
        self._output = _scratch_file()
        self._reports, reports = os.pipe()
        self._pid = os.fork()
        self._status = 0
        if self._pid == 0:
            os.close(self._reports)
            _be_the_child(tasks, reports, self._output)
        os.close(reports)
        self._timed_out_s = 0.0

    def findings(self, longest_s: float) -> Iterator[Finding]:
        """What it reports, until it ends or a task takes too long."""
        rest = b""
        deadline_s = time.monotonic() + longest_s
        while True:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not select.select([self._reports], [], [], left_s)[0]:
                self._timed_out_s = longest_s
                return
            data = os.read(self._reports, 65536)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                report = json.loads(line.decode())
                if isinstance(report, int):
                    self.task = report
                    deadline_s = time.monotonic() + longest_s
                else:
                    yield Finding(*report)

    def end(self) -> str:
        """Why it did not get through its tasks; empty when it did."""
        if self._timed_out_s:
            return f"no answer within {self._timed_out_s:g} s"
        _, self._status = os.waitpid(self._pid, 0)
        self._pid = 0
        if self._status == 0:
            return ""
        if os.WIFSIGNALED(self._status):
            reason = f"crashed with {signal.Signals(os.WTERMSIG(self._status)).name}"
        else:
            reason = f"ended the process with {os.WEXITSTATUS(self._status)}"
        last_words = self._last_words()
        return f"{reason} ({last_words})" if last_words else reason

    def close(self) -> None:
        """Ends it, and what it started."""
        if self._pid:
            with contextlib.suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0
        os.close(self._reports)
        self._output.close()

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            self._output.seek(0)
            lines = [line for line in self._output.read().splitlines() if line.strip()]
            if lines:
                return one_line(lines[-1].decode(errors="replace"), _LAST_WORDS)
        return ""


def _scratch_file() -> IO[bytes]:
    """Where a child's output goes; a machine without room for it is one to be examined, too."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return open(os.devnull, "r+b")


def _be_the_child(tasks: Sequence[Task], reports: int, output: IO[bytes]) -> NoReturn:
    status = 1
    try:
        os.setsid()
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        for number, task in enumerate(tasks):
            _report(reports, number)
            for finding in _guarded(task):
                _report(reports, list(finding))
        status = 0
    finally:
        os._exit(status)


def _report(reports: int, value: Any) -> None:
    data = f"{json.dumps(value)}\n".encode()
    while data:
        data = data[os.write(reports, data) :]


def _guarded(task: Task) -> Iterator[Finding]:
    """A task's findings; an error is one of them."""
    try:
        yield from task.run()
    except Exception as error:  # a report with a hole is better than none
        yield _failed(task.name, error)


def _failed(name: str, error: Exception) -> Finding:
    if isinstance(error, EdgefaceError):
        found, here, _ = one_line(error).partition("; see `edgeface doctor`")
        return Finding(name, BAD, found, _LIBRARIES if here else "")
    found = f"{type(error).__name__}: {one_line(error)}"
    return Finding(name, BAD, found, _LIBRARIES if isinstance(error, ImportError) else "report it")


def _fix_for(reason: str) -> str:
    if "SIGILL" in reason:
        return "a library is built for another processor; on a Jetson Nano: numpy 1.19.4"
    return "reinstall what it needs, then try again"
