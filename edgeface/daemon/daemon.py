"""Wiring and life cycle: the one place that knows all parts of the daemon."""

import grp
import logging
import signal
import threading
import time

from ..build import build_pipeline, load_bundle
from ..core.errors import ConfigurationError, EdgefaceError, UsageError
from ..core.rates import FRAME_RATE_HZ
from ..playback.output import Output
from ..playback.player import Player
from ..shm.layout import STATE_NAMES
from ..shm.writer import Writer
from ..source.spec import make_selector
from ..telemetry.log import LogWriter
from ..telemetry.recorder import Recorder
from .loop import Loop
from .notify import Notifier

_LOG = logging.getLogger(__name__)
_TELL_S = 10.0  # a model that takes longer to build says so this often
_LONGEST_BUILD_S = 3600.0


class _Stopped(Exception):
    """Asked to end before the start was over."""


class Daemon:
    """Sound in, face frames into shared memory, until the sound ends or `stop`.

    :param settings: `config.Settings`
    :param load: returns the settings anew, for SIGHUP; raises `EdgefaceError`
    :param demanded: whether a source that is absent at the start is an error, not something to wait for
    :param fast: a file as fast as the machine can
    :param keep: whether to keep the frames
    """

    def __init__(self, settings, load, demanded=False, fast=False, keep=False):
        self._settings, self._load = settings, load
        self._demanded, self._fast, self._keep = demanded, fast, keep
        self._notifier = Notifier()
        self._reload = threading.Event()
        self._stopping = self._ready = False
        self._seen = 0  # frames
        self._source = self._writer = self._recorder = self.loop = None

    def stop(self, *_):
        """Asks the daemon to end; for signal handlers."""
        self._stopping = True
        if self.loop is not None:
            self.loop.stop()

    def reload(self, *_):
        """Asks the daemon to read its configuration anew; for signal handlers."""
        self._reload.set()

    def run(self, each_time=None):
        """Runs to the end.

        :param each_time: called after every block, with the loop
        :raises EdgefaceError: it cannot start, or the model fails
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        signal.signal(signal.SIGHUP, self.reload)
        try:
            self._start()
            self.loop.run(lambda: self._after_block(each_time))
        except _Stopped:
            pass
        finally:
            self._notifier.send("STOPPING=1")
            self._close()

    def _start(self):
        settings = self._settings
        self._bundle = load_bundle(settings.model.bundle)
        self._source = self._make_source(settings, self._bundle)
        pipeline = self._build(settings)
        if self._demanded:  # before the segment, whose heartbeat must not wait for a device
            self._source.open(demanded=True)
        self._writer = self._make_writer(settings, pipeline)
        if not self._demanded:  # after it: a second daemon must not take the first one's sound
            self._source.open()
        self.loop = Loop(
            self._source,
            pipeline,
            self._writer,
            lambda: build_pipeline(self._settings, self._bundle),
            self._make_player(settings),
            keep=self._keep,
        )
        if self._stopping:
            self.loop.stop()
        self._recorder = self._make_recorder(settings)

    def _build(self, settings):
        """The pipeline; while it is built, which may take an engine minutes, the manager is told to wait."""
        result = []

        def build():
            try:
                result.append((build_pipeline(settings, self._bundle), None))
            except Exception as error:  # handed to the caller
                result.append((None, error))

        thread = threading.Thread(target=build, name="edgeface-build", daemon=True)
        thread.start()
        began_s = told_s = time.monotonic()
        while thread.is_alive():
            thread.join(0.1)  # not longer: a signal is answered between two
            now_s = time.monotonic()
            if self._stopping:
                raise _Stopped
            if now_s - began_s > _LONGEST_BUILD_S:
                raise EdgefaceError(
                    f"the model was not built within {_LONGEST_BUILD_S:.0f} s; try `edgeface model verify`"
                )
            if now_s - told_s > _TELL_S:
                told_s = now_s
                self._notifier.send(f"EXTEND_TIMEOUT_USEC={4e6 * _TELL_S:.0f}")
                self._notifier.status(f"building the model, {now_s - began_s:.0f} s so far")
        pipeline, error = result[0]
        if error is not None:
            raise error
        return pipeline

    def _after_block(self, each_time):
        loop = self.loop
        if not self._ready and loop.published:
            self._ready = True
            self._notifier.send("READY=1")
            _LOG.info(
                "running: %s to %s",
                self._source.name,
                self._writer.path,
                extra={"event": "started"},
            )
        if loop.published != self._seen:
            self._seen = loop.published
            self._notifier.worked()
        self._notifier.status(
            f"{STATE_NAMES[loop.state]}: {self._source.name}, dropped {loop.dropped} samples, {loop.restarts} restarts of a source"
        )
        if each_time is not None:
            each_time(loop)
        if self._reload.is_set():
            self._reload.clear()
            self._notifier.send("RELOADING=1")
            self._read_again()
            self._notifier.send("READY=1")

    def _read_again(self):
        """Takes over what changed in the configuration; what is wrong with it leaves everything as it was."""
        try:
            self._change(self._load())
        except EdgefaceError as error:
            _LOG.error("configuration not taken over: %s", error, extra={"event": "reload_failed"})
        else:
            _LOG.info("configuration taken over", extra={"event": "reloaded"})

    def _change(self, settings):
        old, loop = self._settings, self.loop
        model = (settings.model, settings.motion) != (old.model, old.motion)
        # everything that may be wrong comes first
        bundle = load_bundle(settings.model.bundle)
        audio = settings.audio != old.audio or (
            bundle.lookahead_ms(settings.motion.lookahead_ms)
            != self._bundle.lookahead_ms(old.motion.lookahead_ms)
        )
        source = self._make_source(settings, bundle) if audio else None
        pipeline = build_pipeline(settings, bundle) if model else loop.pipeline
        _group_id(settings.output.group)
        self._bundle = bundle
        moved = settings.output.shm != old.output.shm
        writer = self._make_writer(settings, pipeline) if moved else None
        if model or settings.output != old.output:
            self._writer.close()
        if model:
            loop.use_pipeline(pipeline)
        if model or settings.output != old.output:
            self._writer = loop.writer = writer or self._make_writer(settings, pipeline)
            loop.tell_counters()
        self._settings = settings
        if source is not None:
            restarts = self._source.restarts
            self._source.close()
            if loop.player is not None:
                loop.player.close()
            source.restarts_before = restarts
            source.open()
            self._source = loop.source = source
            loop.player = self._make_player(settings)
        if settings.telemetry != old.telemetry:
            if self._recorder is not None:
                self._recorder.close()
            self._recorder = self._make_recorder(settings)

    def _make_source(self, settings, bundle):
        audio = settings.audio
        ahead_ms = (
            bundle.lookahead_ms(settings.motion.lookahead_ms)
            + 1e3 / FRAME_RATE_HZ
            + audio.playback_delay_ms
        )
        try:
            return make_selector(
                audio.sources, audio.hold_ms / 1e3, self._fast, int(ahead_ms * 1e6)
            )
        except UsageError as error:
            if self._demanded:
                raise
            raise ConfigurationError(f"audio.sources: {error}") from None

    def _make_writer(self, settings, pipeline):
        output = settings.output
        return Writer(
            output.shm,
            self._bundle.crc32,
            pipeline.latency_s,
            int(output.mode, 8),
            _group_id(output.group),
        )

    def _make_player(self, settings):
        audio = settings.audio
        if not audio.playback:
            return None
        delay_ms = (
            self._bundle.lookahead_ms(settings.motion.lookahead_ms)
            + 1e3 / FRAME_RATE_HZ
            + audio.playback_delay_ms
        )
        player = Player(
            Output(None if audio.playback == "default" else audio.playback), int(delay_ms * 1e6)
        )
        player.open()
        return player

    def _make_recorder(self, settings):
        telemetry = settings.telemetry
        if not telemetry.log and not telemetry.prometheus:
            return None
        log = (
            LogWriter(telemetry.log, 1000 * telemetry.file_kb, 1000 * telemetry.total_kb)
            if telemetry.log
            else None
        )
        recorder = Recorder(self.loop, log, telemetry.interval_s, telemetry.prometheus)
        recorder.start()
        return recorder

    def _close(self):
        """Ends all parts, in the order in which they are noticed."""
        parts = [self._writer, self._source, self.loop and self.loop.player, self._recorder]
        for part in parts:
            if part is not None:
                part.close()


def _group_id(name):
    if not name:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigurationError(
            f"output.group: no group '{name}' on this machine; create it or leave it empty"
        ) from None
