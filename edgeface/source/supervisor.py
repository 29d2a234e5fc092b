"""Keeps one source open: while it is lost, it is opened again and again, for ever."""

import logging
import threading
from typing import Optional

from ..core.clock import monotonic_ns
from ..core.rates import SECOND_NS
from .base import EMPTY, Block, Source, SourceLost

_LOG = logging.getLogger(__name__)
# between attempts to open it
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_HEALTHY_NS = 2 * SECOND_NS  # a source that delivered for so long does not fail at once


class Supervisor(Source):
    """A source that is never lost: while the supervised one is, `read` returns empty blocks.

    Opening and closing happen in a thread of their own, since a device may take its time;
    there is never more than one such thread.

    :param source: the source to supervise, closed
    """

    def __init__(self, source: Source) -> None:
        super().__init__(source.name)
        self.live = source.live
        self.pauses = source.pauses
        self.playback = source.playback
        self.restarts = 0  # how often it came back
        self.waiting = True  # whether it is lost, or not open yet
        self._source = source
        self._opened = threading.Event()  # by the thread, and not read from yet
        self._stopping = threading.Event()
        self._reported = False  # that it is lost
        self._gap = False
        self._pause_s = _FIRST_PAUSE_S
        self._opened_ns = 0

    def open(self, required: bool = False) -> None:
        """Opens the source.

        :param required: fail if it is unavailable, instead of waiting for it
        :raises UnavailableError: only if required
        """
        if required:
            self._source.open()
            self._opened.set()
        else:
            self._start_opening()

    def read(self, timeout_s: float) -> Optional[Block]:
        """The next block; `base.EMPTY` while the source is lost; None at the end of a file."""
        if self.waiting and not self._has_opened(timeout_s):
            return EMPTY
        try:
            block = self._source.read(timeout_s)
        except SourceLost as error:
            self._lose(str(error))
            return EMPTY
        except Exception as error:  # what nobody thought of must not end the daemon either
            if not self.live:
                raise
            self._lose(f"{self.name}: {type(error).__name__}: {error}")
            return EMPTY
        if block is not None and len(block.samples) and self._gap:
            self._gap = False
            return block._replace(gap=True)
        return block

    def close(self) -> None:
        """Closes the source and stops waiting for it."""
        self._stopping.set()
        if not self.waiting or self._opened.is_set():
            self._source.close()

    def _has_opened(self, timeout_s: float) -> bool:
        """Waits for the thread that opens the source; whether it can be read now."""
        if not self._opened.wait(timeout_s):
            return False
        self._opened.clear()
        self.waiting = False
        self._opened_ns = monotonic_ns()
        if self._reported:
            _LOG.warning("%s: back", self.name, extra={"event": "source_back"})
            self._reported = False
            self._gap = True
            self.restarts += 1
        return True

    def _lose(self, reason: str) -> None:
        self.waiting = True
        if monotonic_ns() - self._opened_ns > _HEALTHY_NS:
            self._pause_s = _FIRST_PAUSE_S
        self._report(reason)
        self._start_opening(close_first=True)

    def _report(self, reason: str) -> None:
        if not self._reported:
            _LOG.warning("%s; waiting for it", reason, extra={"event": "source_lost"})
            self._reported = True

    def _start_opening(self, close_first: bool = False) -> None:
        threading.Thread(
            target=self._keep_opening, args=(close_first,), name="edgeface-reopen", daemon=True
        ).start()

    def _keep_opening(self, close_first: bool) -> None:
        if close_first:
            self._source.close()
            # a program that ends at once is not started without a pause
            self._stopping.wait(self._pause_s)
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                self._source.open()
            except Exception as error:  # whatever it is: if this ended, the kiosk stayed mute
                self._report(str(error))
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                if self._stopping.is_set():
                    self._source.close()
                self._opened.set()
                return
