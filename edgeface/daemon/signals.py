"""What the process was asked to do: stop, or reload its configuration.

Handlers only set plain attributes, which a loop looks at: an `Event` could be locked by the very
code that the signal interrupts.
"""

import signal


class Signals:
    """Remembers SIGTERM, SIGINT (`stop`) and SIGHUP (`reload`).

    Made on the first line of `edgeface run`, so that a signal during the imports is not lost and
    does not end in a traceback.
    """

    def __init__(self) -> None:
        self.stop = False
        self.reload = False

    def install(self) -> "Signals":
        """Sets the handlers of the process; only in its main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        return self

    def _on_stop(self, *_: object) -> None:
        self.stop = True

    def _on_reload(self, *_: object) -> None:
        self.reload = True


PROCESS = Signals()
"""Those of this process; installed by `cli.main` for `edgeface run` alone."""
