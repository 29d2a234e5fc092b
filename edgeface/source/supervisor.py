"""Keeps one source open: while it is lost, it is opened again and again, for ever."""

import logging
import threading
from typing import Optional

from ..core.clock import monotonic_ns
from ..core.errors import one_line
from ..core.memory import return_memory
from ..core.rates import SAMPLE_RATE_HZ, SECOND_NS
from .base import BLOCK_SAMPLES, EMPTY, Block, Source, SourceLost
from .level_watch import LevelWatch

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.1  # between attempts to open it
_HEALTHY_SAMPLES = 2 * SAMPLE_RATE_HZ  # a source that delivered so much does not fail at once
# what is lost again and again is reported a few times, then only after it has been well for long
_MOST_REPORTS = 5
_STEADY_NS = 60 * SECOND_NS


class Supervisor(Source):
    """A source that is never lost: while the supervised one is, `read` returns empty blocks.

    Opening and closing happen in a thread of their own, since a device may take its time;
    there is never more than one such thread. A source that was lost is back with its first
    sample, or, if it listens for others, when it is open.

    :param source: the source to supervise, closed
    """

    def __init__(self, source: Source) -> None:
        super().__init__(source.name)
        self.live = source.live
        self.pauses = source.pauses
        self.playback = source.playback
        self.restarts = 0  # how often it came back
        self.waiting = True  # whether it is lost, or not there yet
        self._source = source
        self._is_open = False  # and may be read
        self._opened = threading.Event()  # by the thread, and not read from yet
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # between the thread's end of opening and `close`
        self._lost = False  # since it was there last
        self._gap = False
        self._pause_s = _FIRST_PAUSE_S
        self._delivered_samples = 0  # since it was opened
        self._reports = 0  # losses reported lately
        self._well_since_ns = 0
        self._level = LevelWatch()

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

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Optional[Block]:
        """The next block; `base.EMPTY` while the source is lost; None at the end of a file."""
        if not self._is_open and not self._has_opened(timeout_s):
            return EMPTY
        try:
            block = self._source.read(timeout_s, samples)
        except SourceLost as error:
            self._lose(str(error))
            return EMPTY
        except Exception as error:  # what nobody thought of must not end the daemon either
            if not self.live:
                raise
            self._lose(f"{self.name}: {type(error).__name__}: {one_line(error)}")
            return EMPTY
        if block is None or not len(block.samples):
            return block
        self._delivered_samples += len(block.samples)
        self._arrive()
        self._forget_reports()
        if self.live and not self.pauses:
            self._check_level(block)
        if self._gap:
            self._gap = False
            return block._replace(gap=True)
        return block

    def close(self) -> None:
        """Closes the source and stops waiting for it."""
        with self._lock:
            self._stopping.set()
            is_open = self._is_open or self._opened.is_set()
        if is_open:
            self._source.close()

    def _has_opened(self, timeout_s: float) -> bool:
        """Waits for the thread that opens the source; whether it can be read now."""
        if not self._opened.wait(timeout_s):
            return False
        self._opened.clear()
        self._is_open = True
        self._delivered_samples = 0
        if self._source.listens or (self.pauses and not self._lost):
            self._arrive()
        return True

    def _arrive(self) -> None:
        """The source is there."""
        if not self.waiting:
            return
        self.waiting = False
        self._well_since_ns = monotonic_ns()
        if self._lost:
            self._lost = False
            self._gap = True
            self.restarts += 1
            if self._reports < _MOST_REPORTS:
                self._report_back()

    def _report_back(self) -> None:
        _LOG.warning("%s: back", self.name, extra={"event": "source_back"})

    def _forget_reports(self) -> None:
        """A source that has been well for a while is reported again when it is lost."""
        if self._reports and monotonic_ns() - self._well_since_ns > _STEADY_NS:
            if self._reports >= _MOST_REPORTS:
                self._report_back()
            self._reports = 0

    def _lose(self, reason: str) -> None:
        self._is_open = False
        if self._delivered_samples > _HEALTHY_SAMPLES:
            self._pause_s = _FIRST_PAUSE_S
        self._report(reason)
        self._start_opening(close_first=True)

    def _report(self, reason: str) -> None:
        """Says once that the source is lost."""
        self.waiting = True
        if self._lost:
            return
        self._lost = True
        self._reports += 1
        if self._reports > _MOST_REPORTS:
            return
        more = ""
        if self._reports == _MOST_REPORTS:
            more = "; not reported again until it has been there for a minute"
        _LOG.warning("%s; waiting for it%s", reason, more, extra={"event": "source_lost"})

    def _check_level(self, block: Block) -> None:
        found = self._level.accept(block.samples)
        if found is not None:
            _LOG.warning("%s: %s", self.name, found, extra={"event": "source_silent"})

    def _start_opening(self, close_first: bool = False) -> None:
        threading.Thread(
            target=self._keep_opening, args=(close_first,), name="edgeface-reopen", daemon=True
        ).start()

    def _keep_opening(self, close_first: bool) -> None:
        if close_first:
            self._source.close()
            return_memory()
            # a program that ends at once is not started without a pause
            self._stopping.wait(self._pause_s)
            self._pause_s = min(2 * self._pause_s, self._source.longest_pause_s)
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                self._source.open()
            except Exception as error:  # whatever it is: if this ended, the kiosk stayed mute
                self._report(one_line(error))
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, self._source.longest_pause_s)
                continue
            with self._lock:
                if not self._stopping.is_set():
                    self._opened.set()
                    return
            self._source.close()
