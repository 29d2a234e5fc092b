"""Where a frame's time goes, stage by stage; the loop's side of telemetry."""

import time
from typing import Optional, Tuple

from ..core.rates import FRAME_MS, MS_NS, SECOND_NS
from .histogram import Histogram

STAGES = ("capture", "ring", "features", "encoder", "motion", "publish", "end_to_end", "jitter")
CAUSES = ("capture", "ring", "compute")
_HOP_NS = FRAME_MS * MS_NS


class Latency:
    """Histograms of every stage and counts of late frames by cause.

    Stages, ns: `capture`, from when a block's last sample was captured to its
    arrival in this process; `ring`, from there to the model; `features`,
    `encoder`, `motion`, the pipeline's parts; `publish`; `end_to_end`, from the
    capture of a frame's first sample to its publication; `jitter`, how far the
    publishing interval is off 40 ms.

    :param late_ns: an end-to-end latency above this is late
    """

    def __init__(self, late_ns: int):
        self.late_ns = late_ns
        self.histograms = {stage: Histogram() for stage in STAGES}
        self.late = dict.fromkeys(CAUSES, 0)
        self._mark = 0.0
        self._waits_ns: Tuple[int, int] = (0, 0)  # of the last block: capture, ring
        self._published_ns: Optional[int] = None

    def block(self, capture_ns: int, ring_ns: int) -> None:
        """A block took so long to arrive and to be picked up; starts the stages' clock."""
        self.histograms["capture"].record(capture_ns)
        self.histograms["ring"].record(ring_ns)
        self._waits_ns = (capture_ns, ring_ns)
        self._mark = time.perf_counter()

    def stage(self, name: str) -> None:
        """A stage of the pipeline has ended; `pipeline.Pipeline` calls it."""
        now = time.perf_counter()
        self.histograms[name].record(int((now - self._mark) * SECOND_NS))
        self._mark = now

    def published(self, publish_ns: int, audio_ns: int) -> bool:
        """A frame was published.

        :return: whether it was late
        """
        self.stage("publish")
        total_ns = publish_ns - audio_ns
        self.histograms["end_to_end"].record(total_ns)
        if self._published_ns is not None:
            self.histograms["jitter"].record(abs(publish_ns - self._published_ns - _HOP_NS))
        self._published_ns = publish_ns
        if total_ns <= self.late_ns:
            return False
        self.late[self._cause()] += 1
        return True

    def _cause(self) -> str:
        capture_ns, ring_ns = self._waits_ns
        if capture_ns > _HOP_NS:
            return "capture"
        return "ring" if ring_ns > _HOP_NS else "compute"

    def pause(self) -> None:
        """Forgets the last publication: the time to the next one is no interval."""
        self._published_ns = None
