"""Standard input, output and error: closed, blocked and broken ones do no harm."""

import contextlib
import os
import sys
import threading
from collections import deque
from typing import Deque

_MOST_LINES = 100  # that wait for a reader of stderr
STDERR = 2
# held while a line is written, and by whoever makes stderr another file for a while
WRITING = threading.Lock()


def open_standard_files() -> None:
    """Puts /dev/null where standard input, output or error is closed.

    What is opened next would otherwise get that number, and with it the text: the log, or the
    shared memory.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, closefd=False))


class LineWriter:
    """Writes to a file that may be blocked, such as a pipe nobody reads, without waiting for it.

    A thread does the writing: neither a non-blocking file nor a look at whether there is room would
    do, since the pipe or terminal is shared with other processes.

    :param number: the file's descriptor
    """

    def __init__(self, number: int = STDERR) -> None:
        self._number = number
        self._changed = threading.Condition()
        self._waiting: Deque[str] = deque()
        self._writing = False
        self._lost = 0
        self._started = False

    def write(self, text: str) -> None:
        """Writes soon; when too much waits already, the text is lost, and counted."""
        with self._changed:
            if len(self._waiting) >= _MOST_LINES:
                self._lost += 1
                return
            if self._lost:
                text = f"edgeface: {self._lost} lines were lost, nobody read them\n{text}"
                self._lost = 0
            self._waiting.append(text)
            self._changed.notify_all()
            if not self._started:
                self._started = True
                thread = threading.Thread(target=self._run, name="edgeface-stderr", daemon=True)
                thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether all that was written is out."""
        return not self._waiting and not self._writing

    def flush(self, timeout_s: float = 1.0) -> None:
        """Waits until all is out, but no longer than this."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_idle, timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                data = self._waiting.popleft().encode("utf-8", "backslashreplace")
                self._writing = True
            # where it is closed or its reader is gone, there is nobody to say it to
            with WRITING, contextlib.suppress(OSError):
                while data:
                    data = data[os.write(self._number, data) :]
            with self._changed:
                self._writing = False
                self._changed.notify_all()
