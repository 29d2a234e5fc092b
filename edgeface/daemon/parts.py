"""What the daemon is made of, and the one function that builds it: for a start and for a reload."""

import contextlib
import grp
import logging
import os
from typing import Any, Callable, FrozenSet, Iterator, NamedTuple, Optional, Tuple

from ..build import build_pipeline, calibration_of, load_model, strengths_of
from ..config import Audio, Motion, Output, Settings, Telemetry
from ..core.errors import (
    ConfigurationError,
    DataError,
    MissingInputError,
    UnavailableError,
    UsageError,
)
from ..core.memory import return_memory
from ..core.rates import FRAME_MS, MS_NS
from ..life.life import Strengths
from ..model.model import Model
from ..motion.calibration import Calibration
from ..pipeline import Pipeline
from ..playback.output import Output as OutputDevice
from ..playback.player import Player
from ..shm.writer import Writer
from ..source.selector import Selector
from ..source.spec import STDIN, make_selector
from ..telemetry.log import LogWriter
from ..telemetry.recorder import Recorder
from .stats import Stats

_LOG = logging.getLogger(__name__)


class Options(NamedTuple):
    """What the command line decides and no reload changes.

    required: a source that is not there at the start is an error, not something to wait for;
    fast: a file as fast as the machine can; keep: whether to keep the frames; given: the
    settings that the command line overrides, such as `output.shm`.
    """

    required: bool = False
    fast: bool = False
    keep: bool = False
    given: FrozenSet[str] = frozenset()


class Parts(NamedTuple):
    """The parts that run together, and the settings they were built from.

    `source` and `player` are open once `hand_over` is through, `writer` once its segment is in
    its place; `player` and `recorder` are None where the settings want none. `calibration` and
    `strengths` are for the pipeline, which may be one that runs already.
    """

    settings: Settings
    model: Model
    source: Selector
    pipeline: Pipeline
    writer: Writer
    player: Optional[Player] = None
    recorder: Optional[Recorder] = None
    calibration: Optional[Calibration] = None
    strengths: Strengths = Strengths()


def assemble(
    settings: Settings,
    stats: Stats,
    options: Options = Options(),
    old: Optional[Parts] = None,
    fresh_pipeline: bool = False,
    progress: Callable[[str], None] = _LOG.info,
) -> Parts:
    """Builds every part that changed and reuses the others; what runs is not touched.

    It may take minutes (an engine that is built), so it runs away from the loop's thread. A
    failure closes what is new and nothing else.

    :param old: the parts that run; None at the start
    :param fresh_pipeline: to open the model again although nothing changed, after it failed
    :param progress: called with lines about the building of an engine
    :raises EdgefaceError: one part cannot be built
    """
    with contextlib.ExitStack() as undo:
        # what may merely be wrong comes first, what takes long after it
        group_id = _group_id(settings.output.group)
        model = _model(settings, options, old)
        source, player = _sound(settings, options, model, old)
        pipeline = None if fresh_pipeline else _unchanged_pipeline(settings, model, old)
        if pipeline is None:
            pipeline = build_pipeline(settings, model, progress)
        if old is None and options.required:
            # before the segment, whose heartbeat must not wait for a device
            undo.callback(source.close)
            source.open(required=True)
        writer = _unchanged_writer(settings, model, pipeline, old)
        if writer is None:
            with _configured("output.shm", options):
                writer = _make_writer(settings.output, group_id, model, pipeline)
            writer.prepare(old.writer if old is not None else None)
            undo.callback(writer.close)
        if old is not None and settings.telemetry == old.settings.telemetry:
            recorder = old.recorder
        else:
            recorder = _make_recorder(settings.telemetry, stats)
        undo.pop_all()
    calibration = _calibration(settings, model, old)
    strengths = strengths_of(settings.motion)
    if old is not None and strengths == old.strengths:
        strengths = old.strengths
    return Parts(
        settings, model, source, pipeline, writer, player, recorder, calibration, strengths
    )


def _model(settings: Settings, options: Options, old: Optional[Parts]) -> Model:
    """The model; the one that runs, where its bundle is still the same."""
    with _configured("model.bundle", options):
        model = load_model(settings.model.bundle)
    _check_model(settings, model, options)
    return old.model if old is not None and model.crc32 == old.model.crc32 else model


def _sound(
    settings: Settings, options: Options, model: Model, old: Optional[Parts]
) -> Tuple[Selector, Optional[Player]]:
    """Source and player; those that run, where neither settings nor delay changed."""
    delay_ns = _delay_ns(settings, model)
    if (
        old is not None
        and settings.audio == old.settings.audio
        and delay_ns == _delay_ns(old.settings, old.model)
    ):
        return old.source, old.player
    source = _make_source(settings.audio, options, delay_ns)
    return source, _make_player(settings.audio, delay_ns)


def _unchanged_pipeline(
    settings: Settings, model: Model, old: Optional[Parts]
) -> Optional[Pipeline]:
    if (
        old is not None
        and model is old.model
        and settings.model == old.settings.model
        and _stream(settings.motion) == _stream(old.settings.motion)
    ):
        return old.pipeline
    return None


def _stream(motion: Motion) -> Motion:
    """What of these settings a pipeline is built from: the others are only put into it."""
    return Motion(lookahead_ms=motion.lookahead_ms, f0=motion.f0)


def _calibration(settings: Settings, model: Model, old: Optional[Parts]) -> Optional[Calibration]:
    if old is not None and model is old.model and settings.motion == old.settings.motion:
        return old.calibration
    return calibration_of(settings.motion, model.neutral)


def _unchanged_writer(
    settings: Settings, model: Model, pipeline: Pipeline, old: Optional[Parts]
) -> Optional[Writer]:
    if (
        old is not None
        and model is old.model
        and settings.output == old.settings.output
        and pipeline.latency_ns == old.pipeline.latency_ns
    ):
        return old.writer
    return None


def hand_over(new: Parts, old: Optional[Parts] = None, source_is_open: bool = False) -> None:
    """Closes what `new` replaces and opens what took its place; closing may take seconds.

    The old part goes first: both may want the same socket, device or log.
    """
    if old is None or new.source is not old.source:
        if old is not None:
            _close(old.source)
        if not source_is_open:
            new.source.open()
    if old is None or new.player is not old.player:
        if old is not None:
            _close(old.player)
        if new.player is not None:
            new.player.open()
    if old is None or new.recorder is not old.recorder:
        if old is not None:
            _close(old.recorder)
        if new.recorder is not None:
            new.recorder.start()
    if old is not None:
        return_memory()


def close_parts(parts: Parts, keep: Optional[Parts] = None) -> None:
    """Closes the parts that `keep` does not share, those first whose end is noticed first."""
    shared = () if keep is None else (keep.writer, keep.source, keep.player, keep.recorder)
    for part in (parts.writer, parts.source, parts.player, parts.recorder):
        if not any(part is other for other in shared):
            _close(part)


def _close(part: Any) -> None:
    """Whatever goes wrong at an end must not keep the other parts from theirs."""
    if part is None:
        return
    try:
        part.close()
    except Exception:  # logged whole; what else runs must still be closed
        _LOG.exception("%s was not closed well", type(part).__name__)


@contextlib.contextmanager
def _configured(key: str, options: Options) -> Iterator[None]:
    """A mistake in the value of `key` is one of the configuration, unless the command line gave it.

    The service manager starts again what may work the next time; not what needs a person.
    """
    try:
        yield
    except (UsageError, MissingInputError) as error:
        if key in options.given:
            raise
        raise ConfigurationError(f"{key}: {error}") from None


def _check_model(settings: Settings, model: Model, options: Options) -> None:
    """Whether the bundle has what the settings want from it."""
    try:
        model.streaming_files(model.lookahead_ms(settings.motion.lookahead_ms))
    except DataError as error:
        if {"motion.lookahead_ms", "model.bundle"} & options.given:
            raise
        raise ConfigurationError(f"motion.lookahead_ms: {error}") from None
    try:
        model.check_provider(settings.model.provider)
    except UnavailableError as error:
        raise ConfigurationError(f"model.provider: {error}") from None


def _delay_ns(settings: Settings, model: Model) -> int:
    """How much later than the sound its face is shown, and the voice is played."""
    lookahead_ms = model.lookahead_ms(settings.motion.lookahead_ms)
    return int((lookahead_ms + FRAME_MS + settings.audio.playback_delay_ms) * MS_NS)


def _make_source(audio: Audio, options: Options, delay_ns: int) -> Selector:
    with _configured("audio.sources", options):
        service = "NOTIFY_SOCKET" in os.environ
        if service and STDIN in audio.sources and "audio.sources" not in options.given:
            raise UsageError(f"source '{STDIN}': a service has no standard input; name another")
        source = make_selector(
            audio.sources,
            audio.hold_ms / 1e3,
            options.fast,
            delay_ns,
            audio.gain_db,
            audio.auto_gain,
        )
        if service and not source.live and "audio.sources" not in options.given:
            source.close()
            raise UsageError(
                f"source '{source.name}': ends, and a service would begin again for ever; use"
                " `cmd:` with a program that plays it as often as you want"
            )
        return source


def _make_player(audio: Audio, delay_ns: int) -> Optional[Player]:
    if not audio.playback:
        return None
    device = None if audio.playback == "default" else audio.playback
    return Player(OutputDevice(device), delay_ns)


def _make_writer(output: Output, group_id: int, model: Model, pipeline: Pipeline) -> Writer:
    mode = int(output.mode, 8)
    return Writer(output.shm, model.crc32, pipeline.latency_ns, mode, group_id)


def _make_recorder(telemetry: Telemetry, stats: Stats) -> Optional[Recorder]:
    if not telemetry.log and not telemetry.prometheus:
        return None
    log = None
    if telemetry.log:
        log = LogWriter(telemetry.log, 1000 * telemetry.file_kb, 1000 * telemetry.total_kb)
    return Recorder(stats, log, telemetry.interval_s, telemetry.prometheus)


def _group_id(name: str) -> int:
    if not name:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):  # ValueError: no name can look like that
        raise ConfigurationError(
            f"output.group: no group {name!r} on this machine; create it or leave it empty"
        ) from None
