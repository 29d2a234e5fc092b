"""Calls into a library that is not made for threads: one at a time, except past one that hangs."""

import contextlib
import threading
import time
from typing import Dict, Iterator

from .bounded_call import ABANDONED_S

_LOOK_AGAIN_S = 0.1


class Turns:
    """Lets one call in at a time; the next one passes a call that has hung for 5 s."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._began_s: Dict[int, float] = {}  # of the calls under way, by thread

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for the turn, and holds it; a thread that already has it keeps it."""
        thread = threading.get_ident()
        if thread in self._began_s:
            yield
            return
        with self._condition:
            while self._busy():
                self._condition.wait(_LOOK_AGAIN_S)
            self._began_s[thread] = time.monotonic()
        try:
            yield
        finally:
            with self._condition:
                self._began_s.pop(thread, None)  # it may be forgotten
                self._condition.notify_all()

    def alone(self) -> bool:
        """Whether no other thread's call is under way, not even one that hangs."""
        with self._condition:
            return all(thread == threading.get_ident() for thread in self._began_s)

    def forget_others(self) -> None:
        """Calls of other threads, which hang, no longer count: they are in another library now."""
        with self._condition:
            own = threading.get_ident()
            self._began_s = {t: began_s for t, began_s in self._began_s.items() if t == own}

    def _busy(self) -> bool:
        now_s = time.monotonic()
        return any(now_s - began_s < ABANDONED_S for began_s in self._began_s.values())
