"""Where a frame's time goes, stage by stage; the loop's side of telemetry."""

import time

from ..core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ
from .histogram import Histogram

STAGES = ("capture", "ring", "features", "encoder", "motion", "publish", "end_to_end", "jitter")
CAUSES = ("capture", "ring", "compute")
_HOP_NS = HOP_SAMPLES * 1000000000 // SAMPLE_RATE_HZ


class Latency:
    """Histograms of every stage and counts of late frames by cause.

    Stages, ns: `capture`, from when a block's last sample was captured to its
    arrival in this process; `ring`, from there to the model; `features`,
    `encoder`, `motion`, the pipeline's parts; `publish`; `end_to_end`, from the
    capture of a frame's first sample to its publication; `jitter`, how far the
    publishing interval is off 40 ms.

    :param late_ns: an end-to-end latency above this is late
    """

    def __init__(self, late_ns):
        self.late_ns = late_ns
        self.histograms = {stage: Histogram() for stage in STAGES}
        self.late = dict.fromkeys(CAUSES, 0)
        self._mark = 0.0
        self._waits = (0, 0)
        self._published_ns = None

    def block(self, capture_ns, ring_ns):
        """Says how long a block took to arrive and to be picked up; starts the stages' clock."""
        self.histograms["capture"].record(capture_ns)
        self.histograms["ring"].record(ring_ns)
        self._waits = (capture_ns, ring_ns)
        self._mark = time.perf_counter()

    def stage(self, name):
        """Says that a stage of the pipeline has ended; `pipeline.Pipeline` calls it."""
        now = time.perf_counter()
        self.histograms[name].record(int((now - self._mark) * 1e9))
        self._mark = now

    def published(self, publish_ns, audio_ns):
        """Says that a frame was published; returns whether it was late."""
        self.stage("publish")
        total = publish_ns - audio_ns
        self.histograms["end_to_end"].record(total)
        if self._published_ns is not None:
            self.histograms["jitter"].record(abs(publish_ns - self._published_ns - _HOP_NS))
        self._published_ns = publish_ns
        if total <= self.late_ns:
            return False
        capture_ns, ring_ns = self._waits
        cause = "capture" if capture_ns > _HOP_NS else "ring" if ring_ns > _HOP_NS else "compute"
        self.late[cause] += 1
        return True

    def pause(self):
        """Forgets the last publication: what follows is no interval."""
        self._published_ns = None
