"""Calls that may never return, such as those to a sound server that hangs."""

import threading
import time
from typing import Any, Callable, Generic, List, Optional, Tuple, TypeVar

from ..core.errors import UnavailableError

ABANDONED_S = 5.0  # a call that hangs for so long is left alone, and another one may be tried
_MOST_HANGING = 8

Result = TypeVar("Result")


class BoundedCaller:
    """Makes calls in threads of their own, and waits for each no longer than its timeout.

    The next call is made only when the one before has ended or was abandoned: a server that
    hangs for a day so costs eight threads, not one for every attempt, and a call that never
    returns, as after a server died at a bad moment, does not block the next ones.

    :param name: what errors name
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._hanging: List[Tuple[threading.Thread, float]] = []  # and when each began

    def call(
        self,
        timeout_s: float,
        function: Callable[[], Result],
        discard: Optional[Callable[[Result], Any]] = None,
    ) -> Result:
        """The function's result, or its exception.

        :param discard: called with a result that comes after the timeout
        :raises UnavailableError: no result within `timeout_s`, or an earlier call still hangs
        """
        call = _Call(function, discard)
        thread = threading.Thread(target=call.run, name="edgeface-call", daemon=True)
        with self._lock:
            self._hanging = [(other, began) for other, began in self._hanging if other.is_alive()]
            now = time.monotonic()
            busy = any(now - began < ABANDONED_S for _, began in self._hanging)
            if busy or len(self._hanging) >= _MOST_HANGING:
                raise self._no_answer()
            self._hanging.append((thread, now))
        thread.start()
        thread.join(timeout_s)
        if not call.finished_in_time():
            raise self._no_answer()
        return call.result()

    def _no_answer(self) -> UnavailableError:
        return UnavailableError(f"{self._name}: the sound server does not answer; restart it")


class _Call(Generic[Result]):
    """One call, and what became of it."""

    def __init__(
        self, function: Callable[[], Result], discard: Optional[Callable[[Result], Any]]
    ) -> None:
        self._function = function
        self._discard = discard
        self._lock = threading.Lock()
        self._done = False
        self._abandoned = False
        self._results: List[Result] = []
        self._error: Optional[Exception] = None

    def run(self) -> None:
        """Makes the call; in its thread."""
        try:
            self._results.append(self._function())
        except Exception as error:  # handed to the caller
            self._error = error
        with self._lock:
            self._done = True
        if self._abandoned and self._results and self._discard is not None:
            self._discard(self._results[0])

    def finished_in_time(self) -> bool:
        """Whether there is a result or an error; one that comes later is discarded."""
        with self._lock:
            self._abandoned = not self._done
            return self._done

    def result(self) -> Result:
        """The function's result, or its exception."""
        if self._error is not None:
            raise self._error
        return self._results[0]
