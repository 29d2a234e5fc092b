"""Calls that may never return, such as those to a sound server that hangs."""

import threading
import time

from ..core.errors import UnavailableError

_ABANDONED_S = 5.0  # a call that hangs for so long is left alone, and another one may be tried
_MOST = 8


class Impatient:
    """Makes such calls in threads of their own, the next one only when the one before has ended or hangs for long.

    A server that hangs for a day so costs eight threads, not one for every attempt;
    and a call that never returns, as after a server died at a bad moment, does not
    keep the next ones from being made.

    :param name: what errors name
    """

    def __init__(self, name):
        self._name = name
        self._lock = threading.Lock()
        self._hanging = []  # (thread, when it began)

    def call(self, seconds, function, discard=None):
        """The function's result, or its exception.

        :param discard: called with a result that comes too late
        :raises UnavailableError: no answer within `seconds`, or earlier calls still hang
        """
        answer = _Answer(function, discard)
        thread = threading.Thread(target=answer.find, name="edgeface-call", daemon=True)
        with self._lock:
            self._hanging = [(other, began) for other, began in self._hanging if other.is_alive()]
            if len(self._hanging) >= _MOST or any(
                time.monotonic() - began < _ABANDONED_S for _, began in self._hanging
            ):
                raise self._no_answer()
            self._hanging.append((thread, time.monotonic()))
        thread.start()
        thread.join(seconds)
        if not answer.take():
            raise self._no_answer()
        if answer.error is not None:
            raise answer.error
        return answer.value

    def _no_answer(self):
        return UnavailableError(f"{self._name}: the sound server does not answer; restart it")


class _Answer:
    def __init__(self, function, discard):
        self._function, self._discard = function, discard
        self._lock = threading.Lock()
        self._found = self._late = False
        self.value = self.error = None

    def find(self):
        try:
            self.value = self._function()
        except Exception as error:  # handed to the caller
            self.error = error
        with self._lock:
            self._found = True
        if self._late and self.error is None and self._discard is not None:
            self._discard(self.value)

    def take(self):
        """Whether there is an answer; one that comes later is discarded."""
        with self._lock:
            self._late = not self._found
            return self._found
