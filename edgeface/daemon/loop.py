"""The daemon's loop: takes sound, computes frames, publishes them, survives a lost source."""

import logging
import threading
import time
from collections import deque

import numpy as np

from ..clock import monotonic_ns
from ..errors import UnavailableError
from ..features import HOP_SAMPLES, SAMPLE_RATE_HZ
from ..motion import frame as frames
from ..shm import layout
from ..source.block import Block, SourceLost
from ..source.pace import Pace
from ..telemetry.latency import Latency
from .timeline import Timeline

_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 0.1  # keeps the heartbeat well within 200 ms
_RETRY_S = (0.1, 1.0)  # first and longest pause between attempts to open a lost source
_DEGRADED_NS = 5 * 1000 * 1000 * 1000  # sound dropped so recently is reported
_LATE_NS = 100 * 1000 * 1000
_KEPT_FRAMES = 25 * 3600  # of --frames-out: an hour


class Loop:
    """Runs until the source ends or `stop` is called.

    :param source: an opened source
    :param pipeline: a `pipeline.Pipeline`
    :param writer: a `shm.writer.Writer`
    :param keep: whether to keep the frames, at most the last hour, in `kept`
    """

    def __init__(self, source, pipeline, writer, keep=False):
        self._source, self._pipeline, self._writer = source, pipeline, writer
        self._timeline = Timeline()
        self._stopping = False
        self._reopened = threading.Event()
        self._silence = None  # paces the silence that replaces a lost source
        self._gap = False
        self._degraded_until_ns = 0
        self.latency = Latency(int((pipeline.latency_s + HOP_SAMPLES / 16000) * 1e9) + _LATE_NS)
        pipeline.stage = self.latency.stage
        self.kept = deque(maxlen=_KEPT_FRAMES if keep else 0)
        self.published = 0
        self.dropped = self.restarts = self.late = 0
        self.latency_ns = 0
        self.level_dbfs = -120.0
        self.state = layout.STARTING

    def stop(self):
        """Asks the loop to end; for signal handlers."""
        self._stopping = True

    def run(self, each_time=None):
        """The loop.

        :param each_time: called after every block, for a status line
        """
        self._set_state(layout.RUNNING)
        while not self._stopping:
            block = self._next_block()
            if block is None:
                self._publish(self._pipeline.finish())
                break
            if len(block.samples):
                self._timeline.add(block, self._gap, self._silence is not None)
                self._gap = False
                self._count_lost(block.lost)
                self._clock_in(block)
                self._publish(self._pipeline.accept(block.samples))
            self._writer.heartbeat()
            self._settle_state()
            if each_time is not None:
                each_time()
        self._source.close()

    def _next_block(self):
        if self._silence is not None:
            if not self._reopened.is_set():
                return Block(np.zeros(HOP_SAMPLES, np.float32), self._silence.due(HOP_SAMPLES), 0)
            self._silence, self._gap = None, True
            self.restarts += 1
            _LOG.warning("%s: back", self._source.name, extra={"event": "source_back"})
            self._writer.store(layout.SOURCE_RESTARTS, self.restarts)
        try:
            return self._source.read(_TIMEOUT_S)
        except SourceLost as error:
            _LOG.warning("%s; waiting for it", error, extra={"event": "source_lost"})
            self._reopened.clear()
            self._silence, self._gap = Pace(), True
            self.latency.pause()
            threading.Thread(target=self._reopen, name="edgeface-reopen", daemon=True).start()
            return self._next_block()

    def _reopen(self):
        """Runs in a thread of its own: closing and opening may take their time."""
        self._source.close()
        pause_s, longest_s = _RETRY_S
        while not self._stopping:
            try:
                self._source.open()
            except UnavailableError:
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, longest_s)
            else:
                self._reopened.set()
                return

    def _publish(self, known):
        for face in known:
            sample, audio_ns, gap, neutral = self._timeline.take(face.index * HOP_SAMPLES, HOP_SAMPLES)
            flags = face.flags | (frames.DISCONTINUITY if gap else 0) | (frames.NEUTRAL if neutral else 0)
            frame = face._replace(flags=flags)
            publish_ns = self._writer.publish(frame, sample, audio_ns)
            self.latency_ns = publish_ns - audio_ns
            self.published += 1
            self.level_dbfs = frame.rms_dbfs
            self.kept.append(frame)
            if self.latency.published(publish_ns, audio_ns):
                self.late += 1
                self._writer.store(layout.LATE_FRAMES, self.late)

    def _clock_in(self, block):
        now = monotonic_ns()
        arrival_ns = block.arrival_ns or now
        captured_ns = block.audio_ns + len(block.samples) * 1000000000 // SAMPLE_RATE_HZ
        self.latency.block(arrival_ns - captured_ns, now - arrival_ns)

    def _count_lost(self, lost):
        if lost:
            if monotonic_ns() >= self._degraded_until_ns:  # one event for a run of losses; the counter has them all
                _LOG.warning("too slow: %d samples dropped", lost, extra={"event": "dropped"})
            self.dropped += lost
            self._degraded_until_ns = monotonic_ns() + _DEGRADED_NS
            self._writer.store(layout.DROPPED_SAMPLES, self.dropped)

    def _settle_state(self):
        if self._silence is not None:
            self._set_state(layout.WAITING)
        elif monotonic_ns() < self._degraded_until_ns:
            self._set_state(layout.DEGRADED)
        else:
            self._set_state(layout.RUNNING)

    def _set_state(self, state):
        if state != self.state:
            self.state = state
            self._writer.store(layout.STATE, state)
