"""The daemon's loop: takes sound, computes frames, publishes them."""

import logging
import math
import time
from collections import deque
from typing import Any, Callable, Deque, List

import numpy as np

from ..core.clock import monotonic_ns
from ..core.errors import EdgefaceError, InferenceError, UnavailableError
from ..core.rates import FRAME_RATE_HZ, HOP_SAMPLES, SECOND_NS
from ..motion.frame import Frame
from ..shm import layout
from ..source.base import BLOCK_SAMPLES, Block
from .parts import Parts
from .stats import Stats
from .timeline import Timeline

_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 0.1  # keeps the heartbeat well within 200 ms
_DEGRADED_NS = 5 * SECOND_NS  # dropped sound is reported for so long
_FORGIVEN_NS = 60 * SECOND_NS  # an error so long ago does not count any more
_CHECK_NS = SECOND_NS
_KEPT_FRAMES = FRAME_RATE_HZ * 3600  # of --frames-out: an hour


class Loop:
    """Runs one set of parts after another, until the source ends or `stop` says so.

    :param parts: what to begin with; the writer is opened here
    :param stats: state and counters, which this loop writes
    :param keep: whether to keep the frames, at most the last hour, in `kept`
    """

    def __init__(self, parts: Parts, stats: Stats, keep: bool = False) -> None:
        self.parts = parts
        self.kept: Deque[Frame] = deque(maxlen=_KEPT_FRAMES if keep else 0)
        self.failed = False  # the model; nothing is computed until `swap` brings another pipeline
        self._stats = stats
        self._degraded_until_ns = 0
        self._failed_ns = 0
        self._checked_ns = 0
        self._restarts = 0  # of the present source
        self._segment_warning = ""
        self._timeline = Timeline()
        parts.writer.open()
        stats.attach(parts.writer)
        self._use_pipeline()

    def swap(self, parts: Parts) -> None:
        """Goes on with other parts, at a frame boundary: called between two blocks.

        :raises UnavailableError: the new segment cannot take its place; the old parts run on
        """
        old = self.parts
        if parts.writer is not old.writer:
            parts.writer.open()
            self._stats.attach(parts.writer)
            old.writer.close()
        self.parts = parts
        if parts.source is not old.source:
            self._restarts = 0
        if parts.pipeline is not old.pipeline:
            parts.pipeline.life = old.pipeline.life  # goes on: the head is not to jump
            self._use_pipeline()
            self.failed = False
        parts.pipeline.calibration = parts.calibration
        parts.pipeline.life.strengths = parts.strengths

    def _use_pipeline(self) -> None:
        pipeline = self.parts.pipeline
        self._timeline = Timeline(self._timeline.audio_sample)
        self._stats.use_pipeline(pipeline.provider, pipeline.latency_ns)
        pipeline.stage = self._stats.latency.stage

    def run(
        self, stop: Callable[[], bool], between_blocks: Callable[[], None] = lambda: None
    ) -> None:
        """The loop.

        :param stop: whether to end, asked before every block
        :param between_blocks: called after every block
        :raises InferenceError: the model fails, and failed a short time before
        """
        self._settle_state()
        while not stop():
            if self.failed:
                time.sleep(_TIMEOUT_S / 2)  # the source keeps the newest sound meanwhile
            else:
                block = self.parts.source.read(_TIMEOUT_S, self._wanted_samples())
                if block is None:
                    self._compute(self.parts.pipeline.finish)
                    if not self.failed:
                        break
                elif len(block.samples):
                    self._take(block)
            self.parts.writer.heartbeat()
            self._check_segment()
            self._settle_state()
            between_blocks()

    def _wanted_samples(self) -> int:
        """How much sound is worth waking up for: a frame, or what can still be played in time."""
        missing = self.parts.pipeline.missing_samples
        player = self.parts.player
        if player is None:
            return missing
        return min(missing, max(BLOCK_SAMPLES, player.longest_block))

    def _take(self, block: Block) -> None:
        if block.playback and self.parts.player is not None:
            self.parts.player.play(block.samples, block.audio_ns)
        self._timeline.add(block)
        self._count_dropped(block.lost_samples)
        self._measure_arrival(block)
        heard = self.parts.source.live and not block.playback
        # a frame at a time: a backlog is published, and the heart beats, as it is worked off
        for at in range(0, len(block.samples), HOP_SAMPLES):
            self._compute(self.parts.pipeline.accept, block.samples[at : at + HOP_SAMPLES], heard)
            if self.failed:
                self._count_dropped(len(block.samples) - at)
                break
            self.parts.writer.heartbeat()

    def _compute(self, compute: Callable[..., List[Frame]], *arguments: Any) -> None:
        """Publishes the frames that `compute` returns; a failure is noted in `failed`."""
        try:
            self._publish(compute(*arguments))
        except EdgefaceError:
            raise
        except Exception as error:  # ONNX Runtime's bindings raise a class of their own per failure
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        now = monotonic_ns()
        self._stats.count_inference_error()
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        if self._failed_ns and now - self._failed_ns < _FORGIVEN_NS:
            raise InferenceError(
                f"the model fails again ({text}); check it with `edgeface doctor`"
            ) from error
        self._failed_ns = now
        self.failed = True
        _LOG.error(
            "the model failed (%s); loading it again", text, extra={"event": "inference_error"}
        )

    def _publish(self, known: List[Frame]) -> None:
        for face in known:
            if not math.isfinite(np.add.reduce(face.landmarks, axis=None)):
                raise ValueError(f"frame {face.index} holds values that are no numbers")
            sample, audio_ns, flags = self._timeline.take(face.index * HOP_SAMPLES, HOP_SAMPLES)
            frame = face._replace(index=self._stats.published, flags=face.flags | flags)
            publish_ns = self.parts.writer.publish(frame, sample, audio_ns)
            self._stats.count_frame(frame, publish_ns, audio_ns)
            self.kept.append(frame)

    def _measure_arrival(self, block: Block) -> None:
        now = monotonic_ns()
        arrival_ns = block.arrival_ns or now
        self._stats.latency.block(arrival_ns - block.end_ns, now - arrival_ns)

    def _count_dropped(self, samples: int) -> None:
        if samples:
            now = monotonic_ns()
            if now >= self._degraded_until_ns:  # one event for a run of losses; the counter has all
                _LOG.warning("too slow: %d samples dropped", samples, extra={"event": "dropped"})
            self._degraded_until_ns = now + _DEGRADED_NS
            self._stats.count_dropped(samples)

    def _check_segment(self) -> None:
        now = monotonic_ns()
        if now - self._checked_ns <= _CHECK_NS:
            return
        self._checked_ns = now
        writer = self.parts.writer
        try:
            renewed = writer.renew_if_deleted()
        except UnavailableError as error:
            self._warn_of_segment(f"{error}; trying again every second")
            return
        if renewed:
            self._stats.attach(writer)
            _LOG.warning(
                "shared memory %s was deleted; it is there again",
                writer.path,
                extra={"event": "segment_deleted"},
            )
        self._segment_warning = ""

    def _warn_of_segment(self, text: str) -> None:
        if text != self._segment_warning:
            self._segment_warning = text
            _LOG.warning(text, extra={"event": "segment_deleted"})

    def _settle_state(self) -> None:
        source = self.parts.source
        if source.restarts != self._restarts:
            self._stats.count_restarts(source.restarts - self._restarts)
            self._restarts = source.restarts
        if source.waiting:
            self._stats.set_state(layout.WAITING)
        elif self.failed or source.slow or monotonic_ns() < self._degraded_until_ns:
            self._stats.set_state(layout.DEGRADED)
        else:
            self._stats.set_state(layout.RUNNING)
