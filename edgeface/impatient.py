"""Calls that may never return, such as those to a sound server that hangs."""

import threading

from .errors import UnavailableError


class Impatient:
    """Makes one such call at a time; while one hangs, the next ones fail at once.

    So a server that hangs for a day costs one thread, not one for every attempt.

    :param name: what errors name
    """

    def __init__(self, name):
        self._name = name
        self._lock = threading.Lock()
        self._running = None

    def call(self, seconds, function, discard=None):
        """The function's result, or its exception.

        :param discard: called with a result that comes too late
        :raises UnavailableError: no answer within `seconds`, or an earlier call still hangs
        """
        with self._lock:
            if self._running is not None and self._running.is_alive():
                raise self._no_answer()
            answer = _Answer(function, discard)
            self._running = threading.Thread(target=answer.find, name="edgeface-call", daemon=True)
        self._running.start()
        self._running.join(seconds)
        if not answer.take():
            raise self._no_answer()
        if answer.error is not None:
            raise answer.error
        return answer.value

    def _no_answer(self):
        return UnavailableError("%s: the sound server does not answer; restart it" % self._name)


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
