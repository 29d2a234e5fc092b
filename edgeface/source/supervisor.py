"""Keeps one source open: waits for it while it is away, for ever."""

import logging
import threading

from ..core.clock import monotonic_ns
from .block import EMPTY, SourceLost

_LOG = logging.getLogger(__name__)
_PAUSES_S = (0.1, 1.0)  # between attempts to open it: first, longest
_HEALTHY_NS = (
    2 * 1000 * 1000 * 1000
)  # a source that delivered for so long is not one that fails at once


class Supervisor:
    """A source that is never lost: while it is away, `read` returns empty blocks.

    Opening and closing happen in a thread of their own, since a device may take
    its time; there is never more than one such thread.

    :param source: see the package
    """

    def __init__(self, source):
        self._source = source
        self.name, self.pauses = source.name, source.pauses
        self.restarts = 0
        self.away = True
        self._back = threading.Event()
        self._stopping = threading.Event()
        self._gap = False
        self._pause_s = _PAUSES_S[0]
        self._opened_ns = 0
        self._told = False  # that it is away

    def open(self, demanded=False):
        """Opens the source.

        :param demanded: to fail where it is not there, rather than to wait for it
        :raises UnavailableError: only if demanded
        """
        if demanded:
            self._source.open()
            self._back.set()
        else:
            self._look_for_it()

    def read(self, timeout_s):
        """The next block, an empty one when there is none in time, None at the end of the sound."""
        if self.away and not self._return(timeout_s):
            return EMPTY
        try:
            block = self._source.read(timeout_s)
        except SourceLost as error:
            self._leave(error)
            return EMPTY
        except Exception as error:  # what nobody thought of must not end the daemon either
            if not self._source.live:
                raise
            self._leave(f"{self.name}: {type(error).__name__}: {error}")
            return EMPTY
        if block is not None and len(block.samples) and self._gap:
            self._gap = False
            return block._replace(gap=True)
        return block

    def close(self):
        """Ends the source and the search for it."""
        self._stopping.set()
        if not self.away or self._back.is_set():
            self._source.close()

    def _return(self, timeout_s):
        if not self._back.wait(timeout_s):
            return False
        self._back.clear()
        self.away = False
        self._opened_ns = monotonic_ns()
        if self._told:
            _LOG.warning("%s: back", self.name, extra={"event": "source_back"})
            self._told = False
            self._gap = True
            self.restarts += 1
        return True

    def _leave(self, error):
        self.away = True
        if monotonic_ns() - self._opened_ns > _HEALTHY_NS:
            self._pause_s = _PAUSES_S[0]
        self._tell(error)
        self._look_for_it(close_first=True)

    def _tell(self, error):
        if not self._told:
            _LOG.warning("%s; waiting for it", error, extra={"event": "source_lost"})
            self._told = True

    def _look_for_it(self, close_first=False):
        threading.Thread(
            target=self._open_again, args=(close_first,), name="edgeface-reopen", daemon=True
        ).start()

    def _open_again(self, close_first):
        if close_first:
            self._source.close()
            self._stopping.wait(
                self._pause_s
            )  # a program that ends at once is not started in a frenzy
            self._pause_s = min(2 * self._pause_s, _PAUSES_S[1])
        pause_s = _PAUSES_S[0]
        while not self._stopping.is_set():
            try:
                self._source.open()
            except (
                Exception
            ) as error:  # whatever it is: a search that ended would leave the kiosk mute
                self._tell(error)
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _PAUSES_S[1])
            else:
                if self._stopping.is_set():
                    self._source.close()
                self._back.set()
                return
