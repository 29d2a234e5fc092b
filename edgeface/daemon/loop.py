"""The daemon's loop: takes sound, computes frames, publishes them."""

import logging
from collections import deque

import numpy as np

from ..core.clock import monotonic_ns
from ..core.errors import EdgefaceError, InferenceError
from ..core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ
from ..shm import layout
from ..telemetry.latency import Latency
from .timeline import Timeline

_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 0.1  # keeps the heartbeat well within 200 ms
_DEGRADED_NS = 5 * 1000 * 1000 * 1000  # sound dropped so recently is reported
_LATE_NS = 100 * 1000 * 1000
_FORGIVEN_NS = 60 * 1000 * 1000 * 1000  # an error so long ago does not count any more
_CHECK_NS = 1000 * 1000 * 1000
_KEPT_FRAMES = 25 * 3600  # of --frames-out: an hour


class Loop:
    """Runs until the source ends or `stop` is called.

    :param source: a `source.selector.Selector`, opened
    :param pipeline: a `pipeline.Pipeline`
    :param writer: a `shm.writer.Writer`
    :param rebuild: makes a new pipeline after an error, once; None: the error ends the loop
    :param player: a `playback.player.Player` for the voice, or None
    :param keep: whether to keep the frames, at most the last hour, in `kept`
    """

    def __init__(self, source, pipeline, writer, rebuild=None, player=None, keep=False):
        self.source, self.writer, self.player = source, writer, player
        self._rebuild = rebuild
        self._stopping = False
        self._degraded_until_ns = self._erred_ns = self._checked_ns = 0
        self.kept = deque(maxlen=_KEPT_FRAMES if keep else 0)
        self.published = 0
        self.dropped = self.restarts = self.late = self.errors = 0
        self.latency_ns = 0
        self.level_dbfs = -120.0
        self.state = layout.STARTING
        self.latency = None
        self._timeline = Timeline()
        self.use_pipeline(pipeline)

    def use_pipeline(self, pipeline):
        """Goes on with another pipeline, whose stream begins now."""
        self.pipeline = pipeline
        self._timeline = Timeline(self._timeline.audio_sample)
        late_ns = int((pipeline.latency_s + HOP_SAMPLES / SAMPLE_RATE_HZ) * 1e9) + _LATE_NS
        if self.latency is None:
            self.latency = Latency(late_ns)
        self.latency.late_ns = late_ns
        pipeline.stage = self.latency.stage

    def stop(self):
        """Asks the loop to end; for signal handlers."""
        self._stopping = True

    def run(self, each_time=None):
        """The loop.

        :param each_time: called after every block that was worked off
        :raises InferenceError: the model fails, and failed again after it was built anew
        """
        self._settle_state()
        while not self._stopping:
            block = self.source.read(_TIMEOUT_S)
            if block is None:
                self._work(self.pipeline.finish)
                break
            if len(block.samples):
                self._take(block)
            self.writer.heartbeat()
            self._keep_segment()
            self._settle_state()
            if each_time is not None:
                each_time()

    def _take(self, block):
        if block.playback and self.player is not None:
            self.player.play(block)
        self._timeline.add(block)
        self._count_lost(block.lost)
        self._clock_in(block)
        # a frame at a time, so that a backlog is published, and the heart beats, as it is worked off
        for at in range(0, len(block.samples), HOP_SAMPLES):
            if not self._work(self.pipeline.accept, block.samples[at : at + HOP_SAMPLES]):
                break  # the rest of the block went with the old pipeline
            self.writer.heartbeat()

    def _work(self, compute, *arguments):
        """Publishes the frames that `compute` returns; whether that worked."""
        try:
            self._publish(compute(*arguments))
        except EdgefaceError:
            raise
        except Exception as error:  # ONNX Runtime's bindings raise a class of their own per failure
            self._recover(error)
            return False
        return True

    def _recover(self, error):
        now = monotonic_ns()
        self.errors += 1
        self.writer.store(layout.INFERENCE_ERRORS, self.errors)
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        if self._rebuild is None or (self._erred_ns and now - self._erred_ns < _FORGIVEN_NS):
            raise InferenceError(
                f"the model fails again ({text}); check it with `edgeface doctor`"
            ) from error
        self._erred_ns = now
        _LOG.error(
            "the model failed (%s); building it anew", text, extra={"event": "inference_error"}
        )
        try:
            self.use_pipeline(self._rebuild())
        except EdgefaceError:
            raise
        except Exception as again:  # as above
            raise InferenceError(
                f"the model fails ({text}), also when it is built anew ({type(again).__name__}); check it with `edgeface doctor`"
            ) from again

    def _publish(self, known):
        for face in known:
            if not np.isfinite(face.landmarks).all():
                raise ValueError(f"frame {face.index} holds values that are no numbers")
            sample, audio_ns, flags = self._timeline.take(face.index * HOP_SAMPLES, HOP_SAMPLES)
            frame = face._replace(index=self.published, flags=face.flags | flags)
            publish_ns = self.writer.publish(frame, sample, audio_ns)
            self.latency_ns = publish_ns - audio_ns
            self.published += 1
            self.level_dbfs = frame.rms_dbfs
            self.kept.append(frame)
            if self.latency.published(publish_ns, audio_ns):
                self.late += 1
                self.writer.store(layout.LATE_FRAMES, self.late)

    def _clock_in(self, block):
        now = monotonic_ns()
        arrival_ns = block.arrival_ns or now
        captured_ns = block.audio_ns + len(block.samples) * 1000000000 // SAMPLE_RATE_HZ
        self.latency.block(arrival_ns - captured_ns, now - arrival_ns)

    def _count_lost(self, lost):
        if lost:
            if (
                monotonic_ns() >= self._degraded_until_ns
            ):  # one event for a run of losses; the counter has them all
                _LOG.warning("too slow: %d samples dropped", lost, extra={"event": "dropped"})
            self.dropped += lost
            self._degraded_until_ns = monotonic_ns() + _DEGRADED_NS
            self.writer.store(layout.DROPPED_SAMPLES, self.dropped)

    def _keep_segment(self):
        now = monotonic_ns()
        if now - self._checked_ns > _CHECK_NS:
            self._checked_ns = now
            if self.writer.renew_if_deleted():
                _LOG.warning(
                    "shared memory %s was deleted; it is there again",
                    self.writer.path,
                    extra={"event": "segment_deleted"},
                )
                self.tell_counters()

    def tell_counters(self):
        """Stores state and counters in a segment that is new."""
        for offset, value in (
            (layout.STATE, self.state),
            (layout.DROPPED_SAMPLES, self.dropped),
            (layout.SOURCE_RESTARTS, self.restarts),
            (layout.LATE_FRAMES, self.late),
            (layout.INFERENCE_ERRORS, self.errors),
        ):
            self.writer.store(offset, value)

    def _settle_state(self):
        if self.restarts != self.source.restarts:
            self.restarts = self.source.restarts
            self.writer.store(layout.SOURCE_RESTARTS, self.restarts)
        if self.source.waiting:
            state = layout.WAITING
        elif monotonic_ns() < self._degraded_until_ns:
            state = layout.DEGRADED
        else:
            state = layout.RUNNING
        if state != self.state:
            if state == layout.WAITING:
                self.latency.pause()
            self.state = state
            self.writer.store(layout.STATE, state)
