"""The daemon's life: start, reload and end."""

import logging
import time
from collections import deque
from typing import Callable, Deque, Optional

from ..config import Settings
from ..core.errors import EdgefaceError, InferenceError
from ..motion.frame import Frame
from ..shm.layout import state_name
from .background import Background
from .loop import Loop
from .notify import Notifier
from .parts import Options, Parts, assemble, close_parts, hand_over
from .signals import Signals
from .stats import Stats

_LOG = logging.getLogger(__name__)
_PROGRESS_S = 10.0  # a start that takes longer says so this often
_LONGEST_BUILD_S = 3600.0
_CLOSING_S = 0.5  # how long the end waits for a reload that is under way
_RELOAD_PAUSE_S = 1.0  # a storm of signals is one reload a second
_POLL_S = 0.05  # a signal during the start is answered as fast


class Daemon:
    """Sound in, face frames into shared memory, until the sound ends or a signal says so.

    :param settings: what to begin with
    :param load: reads the settings again, for a reload; raises `EdgefaceError`
    :param signals: what the process was asked to do
    :param options: what the command line decides
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        signals: Signals,
        options: Options = Options(),
    ) -> None:
        self.stats = Stats()
        self._settings = settings
        self._load = load
        self._signals = signals
        self._options = options
        self._notifier = Notifier()
        self._loop: Optional[Loop] = None
        self._ready = False
        self._frames_reported = 0
        self._assembly: Optional[Background[Parts]] = None
        self._handover: Optional[Background[None]] = None
        self._recovering = False  # the assembly is about a model that failed
        self._next_reload_s = 0.0

    @property
    def kept(self) -> Deque[Frame]:
        """The frames of `Options.keep`; empty before the start is over."""
        return self._loop.kept if self._loop is not None else deque()

    @property
    def latency_ns(self) -> int:
        """Algorithmic latency of the model that runs; 0 before the start is over."""
        return self._loop.parts.pipeline.latency_ns if self._loop is not None else 0

    def run(self, on_block: Callable[[Stats], None] = lambda stats: None) -> None:
        """Runs to the end.

        :param on_block: called after every block
        :raises EdgefaceError: it cannot start, or the model fails
        """
        try:
            self._start()
            if self._loop is not None:
                self._loop.run(lambda: self._signals.stop, lambda: self._between_blocks(on_block))
        finally:
            self._notifier.send("STOPPING=1")
            self._close()

    def _start(self) -> None:
        """Assembles the parts; meanwhile signals are answered, and the service manager waits."""
        settings = self._settings
        self._assembly = Background(
            lambda: assemble(settings, self.stats, self._options, progress=self._on_progress),
            "edgeface-assemble",
        )
        began_s = told_s = time.monotonic()
        while not self._assembly.wait(_POLL_S):
            now_s = time.monotonic()
            if self._signals.stop:
                return
            if now_s - began_s > _LONGEST_BUILD_S:
                raise EdgefaceError(
                    f"the model was not ready within {_LONGEST_BUILD_S:.0f} s; try"
                    " `edgeface model verify`"
                )
            if now_s - told_s > _PROGRESS_S:
                told_s = now_s
                self._notifier.send(f"EXTEND_TIMEOUT_USEC={4e6 * _PROGRESS_S:.0f}")
                self._notifier.status(f"loading the model, {now_s - began_s:.0f} s so far")
        parts = self._assembly.result()
        self._assembly = None
        try:
            self._loop = Loop(parts, self.stats, self._options.keep)
        except EdgefaceError:
            close_parts(parts)
            raise
        hand_over(parts, source_is_open=self._options.required)

    def _on_progress(self, line: str) -> None:
        _LOG.info("%s", line, extra={"event": "engine"})

    def _between_blocks(self, on_block: Callable[[Stats], None]) -> None:
        self._report()
        on_block(self.stats)
        if self._handover is not None and self._handover.done:
            self._finish_handover(self._handover)
        elif self._assembly is not None and self._assembly.done:
            self._finish_assembly(self._assembly)
        elif self._assembly is None and self._handover is None:
            self._begin_assembly()

    def _report(self) -> None:
        stats = self.stats
        if not self._ready and stats.published:
            self._ready = True
            self._notifier.send("READY=1")
            _LOG.info(
                "running: %s to %s",
                self._running.source.name,
                self._running.writer.path,
                extra={"event": "started"},
            )
        if stats.published != self._frames_reported:
            self._frames_reported = stats.published
            self._notifier.worked()
        if self._notifier.is_heard:
            self._notifier.status(self._status())

    def _status(self) -> str:
        stats = self.stats
        return (
            f"{state_name(stats.state)}: {self._running.source.name},"
            f" dropped {stats.dropped_samples} samples,"
            f" {stats.source_restarts} restarts of a source"
        )

    @property
    def _running(self) -> Parts:
        assert self._loop is not None
        return self._loop.parts

    def _begin_assembly(self) -> None:
        """Starts what a failed model or a signal asks for; the loop goes on meanwhile."""
        assert self._loop is not None
        old = self._loop.parts
        self._recovering = self._loop.failed
        if self._recovering:
            self._assembly = Background(
                lambda: assemble(old.settings, self.stats, self._options, old, fresh_pipeline=True),
                "edgeface-assemble",
            )
        elif self._signals.reload and time.monotonic() >= self._next_reload_s:
            self._signals.reload = False
            self._notifier.send("RELOADING=1")
            self._assembly = Background(
                lambda: assemble(self._load(), self.stats, self._options, old),
                "edgeface-assemble",
            )

    def _finish_assembly(self, assembly: "Background[Parts]") -> None:
        """Swaps in what was assembled; what is wrong with it leaves everything as it was."""
        assert self._loop is not None
        self._assembly = None
        old = self._loop.parts
        try:
            new = assembly.result()
        except Exception as error:
            self._refuse(error)
            return
        try:
            self._loop.swap(new)
        except EdgefaceError as error:
            close_parts(new, keep=old)
            self._refuse(error)
            return
        self._handover = Background(lambda: hand_over(new, old), "edgeface-handover")

    def _refuse(self, error: Exception) -> None:
        if self._recovering:
            raise InferenceError(
                f"the model fails, and loading it again fails, too ({error}); check it with"
                " `edgeface doctor`"
            ) from error
        _LOG.error(
            "reload failed, the settings stay as they were: %s",
            " ".join(str(error).split()),
            extra={"event": "reload_failed"},
        )
        self._end_reload()

    def _finish_handover(self, handover: "Background[None]") -> None:
        self._handover = None
        handover.result()
        if self._recovering:
            _LOG.warning("the model was loaded again", extra={"event": "model_back"})
            return
        _LOG.info("configuration reloaded", extra={"event": "reloaded"})
        self._end_reload()

    def _end_reload(self) -> None:
        self._next_reload_s = time.monotonic() + _RELOAD_PAUSE_S
        self._notifier.send("READY=1")

    def _close(self) -> None:
        """Ends all parts; one that is still being made or replaced is given a moment."""
        if self._handover is not None:
            self._handover.wait(_CLOSING_S)
        running = self._loop.parts if self._loop is not None else None
        if running is not None:
            close_parts(running)
        if self._assembly is not None and self._assembly.wait(_CLOSING_S):
            try:
                close_parts(self._assembly.result(), keep=running)
            except EdgefaceError:
                pass  # it failed, and closed what it had made
