"""Work in a thread of its own, whose result is asked for later."""

import threading
from typing import Callable, Generic, List, Optional, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """Starts a function at once; whoever started it looks at `done` now and then.

    :param function: what to do
    :param name: of the thread
    """

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self._function = function
        self._results: List[T] = []
        self._error: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # raised again in the thread that asks for the result
            self._error = error

    @property
    def done(self) -> bool:
        """Whether the function has returned or failed."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Waits for so long at most; returns `done`."""
        self._thread.join(seconds)
        return self.done

    def result(self) -> T:
        """What the function returned, once it is done; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]
