"""State and counters of the daemon, in one place."""

from typing import Optional

from ..core.rates import HOP_SAMPLES, SAMPLE_NS, SECOND_NS
from ..motion.frame import Frame
from ..shm import layout
from ..shm.writer import Writer
from ..telemetry.latency import Latency

_LATE_NS = SECOND_NS // 10  # beyond what the model itself needs


class Stats:
    """Owns state and counters, and mirrors them into the segment.

    The loop writes them; the status line, the service manager's status, the recorder and
    benchmarks read them. Counters rise from the start of the process, whatever is reloaded.

    `state` is one of `shm.layout.STATE_NAMES` by number; `published` counts frames;
    `dropped_samples` those at 16 kHz; `latency_ns` is that of the last frame, from the capture of
    its first sample to its publication; `level_dbfs` its level; `latency` holds the histograms.
    """

    def __init__(self) -> None:
        self.state = layout.STARTING
        self.published = 0
        self.dropped_samples = 0
        self.source_restarts = 0
        self.late_frames = 0
        self.inference_errors = 0
        self.latency_ns = 0
        self.level_dbfs = -120.0
        self.provider = ""
        self.latency = Latency(_LATE_NS)
        self._writer: Optional[Writer] = None

    def attach(self, writer: Writer) -> None:
        """Mirrors into this segment from now on; all values at once, since it may be a new one."""
        self._writer = writer
        for offset, value in (
            (layout.STATE, self.state),
            (layout.DROPPED_SAMPLES, self.dropped_samples),
            (layout.SOURCE_RESTARTS, self.source_restarts),
            (layout.LATE_FRAMES, self.late_frames),
            (layout.INFERENCE_ERRORS, self.inference_errors),
        ):
            writer.store(offset, value)

    def use_pipeline(self, provider: str, latency_ns: int) -> None:
        """Says what computes from now on, and its algorithmic latency."""
        self.provider = provider
        self.latency.late_ns = latency_ns + HOP_SAMPLES * SAMPLE_NS + _LATE_NS

    def set_state(self, state: int) -> None:
        """Takes note of the state, one of `shm.layout`."""
        if state == self.state:
            return
        if state == layout.WAITING:
            self.latency.pause()
        self.state = state
        self._mirror(layout.STATE, state)

    def count_dropped(self, samples: int) -> None:
        """Counts samples at 16 kHz that never reached the model."""
        self.dropped_samples += samples
        self._mirror(layout.DROPPED_SAMPLES, self.dropped_samples)

    def count_restarts(self, restarts: int) -> None:
        """Counts sources that came back."""
        self.source_restarts += restarts
        self._mirror(layout.SOURCE_RESTARTS, self.source_restarts)

    def count_inference_error(self) -> None:
        """Counts a failure of the model."""
        self.inference_errors += 1
        self._mirror(layout.INFERENCE_ERRORS, self.inference_errors)

    def count_frame(self, frame: Frame, publish_ns: int, audio_ns: int) -> None:
        """Counts a published frame, and whether it was late."""
        self.published += 1
        self.latency_ns = publish_ns - audio_ns
        self.level_dbfs = frame.rms_dbfs
        if self.latency.published(publish_ns, audio_ns):
            self.late_frames += 1
            self._mirror(layout.LATE_FRAMES, self.late_frames)

    def _mirror(self, offset: int, value: int) -> None:
        if self._writer is not None:
            self._writer.store(offset, value)
