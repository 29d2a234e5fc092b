"""A playing stream of PortAudio, and the time line that its callback empties."""

from collections import deque
from typing import Any, Deque, Mapping, Optional, Tuple

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import SECOND_NS
from ..devices.sample_clock import SampleClock

_BUFFER_S = 3.0
_BLOCK_S = 0.01
_SILENT_NS = SECOND_NS  # no callback for so long: the device is gone
_FIRST_NS = 3 * SECOND_NS  # ... but the first one may take its time
_LONGEST_DELAY_S = 1.0


class PlayingStream:
    """One opening of a device: `write` puts samples on a time line, a callback plays them.

    Every opening has its own, so that the last callbacks of an old stream cannot disturb a
    new one.

    :param sounddevice: the module
    :param info: PortAudio's description of the device
    """

    def __init__(self, sounddevice: Any, info: Mapping[str, Any], rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._samples = np.zeros(int(_BUFFER_S * rate_hz), np.float32)
        self._played = 0
        # (position, CLOCK_MONOTONIC in ns at which it is heard)
        self._stamps: Deque[Tuple[int, int]] = deque(maxlen=256)
        self._stamped = False
        self._clock = SampleClock(rate_hz)
        self._last_ns = monotonic_ns() + _FIRST_NS - _SILENT_NS
        self._ended = False
        self.stream = sounddevice.OutputStream(
            samplerate=rate_hz,
            channels=min(2, info["max_output_channels"]),
            dtype="float32",
            device=info["index"],
            blocksize=int(rate_hz * _BLOCK_S),
            latency="low",
            callback=self._callback,
            finished_callback=self._finished,
        )

    @property
    def stopped(self) -> bool:
        """Whether the device stopped playing."""
        return self._ended or monotonic_ns() - self._last_ns > _SILENT_NS

    def position_at(self, ns: int) -> Optional[float]:
        """Position that is heard at CLOCK_MONOTONIC `ns`; None before anything was."""
        while self._stamps:
            self._clock.update(*self._stamps.popleft())
            self._stamped = True
        return self._clock.position(ns) if self._stamped else None

    def write(self, position: int, samples: np.ndarray) -> None:
        """Puts float32 [n] at a position; what comes too late to be heard is dropped."""
        late = min(len(samples), max(0, self._played - position))
        samples = samples[late:][: len(self._samples) // 2]
        at = (position + late) % len(self._samples)
        first = min(len(samples), len(self._samples) - at)
        self._samples[at : at + first] = samples[:first]
        self._samples[: len(samples) - first] = samples[first:]

    def _callback(self, block: np.ndarray, frames: int, times: Any, _status: Any) -> None:
        now = monotonic_ns()
        # not times.currentTime: this thread may have waited for the interpreter since then
        delay_s = times.outputBufferDacTime - self.stream.time
        if not 0 < delay_s < _LONGEST_DELAY_S:  # not every host knows
            delay_s = self.stream.latency
        at = self._played % len(self._samples)
        first = min(frames, len(self._samples) - at)
        for part, target in (
            (self._samples[at : at + first], block[:first]),
            (self._samples[: frames - first], block[first:]),
        ):
            target[:] = part[:, None]
            part[:] = 0.0
        self._stamps.append((self._played, now + int(delay_s * SECOND_NS)))
        self._played += frames
        self._last_ns = now

    def _finished(self) -> None:
        self._ended = True
