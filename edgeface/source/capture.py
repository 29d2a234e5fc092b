"""A recording stream of PortAudio, and the ring that its callback fills."""

import threading
from collections import deque
from typing import Any, Deque, Mapping, Tuple

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SAMPLE_RATE_HZ, SECOND_NS
from ..devices.ring import Ring
from ..devices.sample_clock import ArrivalClock
from .base import BLOCK_SAMPLES, EMPTY, Block, SourceLost
from .convert import Converter

_CALLBACK_S = 0.01
_RING_S = 2.0
_SILENT_NS = 500 * MS_NS  # no callback for so long: the device is gone
_FIRST_NS = 3 * SECOND_NS  # ... but the first one may take its time
_LONGEST_DELAY_S = 1.0
# of a longer backlog only the newest sound is kept
_STALE_S = 0.5
_KEPT_S = 0.1


class Capture:
    """One opening of a device: a callback writes, `read` takes out.

    Every opening has its own, so that the last callbacks of an old stream cannot disturb a
    new one.

    :param name: what errors name
    :param sounddevice: the module
    :param info: PortAudio's description of the device
    """

    def __init__(
        self, name: str, sounddevice: Any, info: Mapping[str, Any], rate_hz: int, channels: int
    ) -> None:
        self._name = name
        self._rate_hz = rate_hz
        self._ring = Ring(int(_RING_S * rate_hz), channels)
        # (position of a block, CLOCK_MONOTONIC in ns of its first sample)
        self._stamps: Deque[Tuple[int, int]] = deque(maxlen=256)
        self._arrived = threading.Event()
        self._wanted = 0  # frames of the device that `read` waits for
        self._ended = False
        self._moved = False
        self._last_ns = monotonic_ns() + _FIRST_NS - _SILENT_NS
        self._written = 0  # by the callback
        self._delay_s = _LONGEST_DELAY_S
        self._converter = Converter(rate_hz, name)
        self._clock = ArrivalClock(rate_hz)
        self._delivered = 0  # samples at 16 kHz
        self._lost = 0  # samples of the device
        self.stream = sounddevice.InputStream(
            samplerate=rate_hz,
            channels=channels,
            dtype="float32",
            device=info["index"],
            blocksize=int(rate_hz * _CALLBACK_S),
            latency="low",
            callback=self._callback,
            finished_callback=self._finished,
        )

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Block:
        """The sound that has come since the last call, as `base.Source.read`.

        :raises SourceLost: the device stopped delivering
        """
        self._wanted = samples * self._rate_hz // SAMPLE_RATE_HZ
        if self._ring.waiting < self._wanted:
            self._arrived.wait(timeout_s)
        self._arrived.clear()
        if self._moved:
            raise SourceLost(f"{self._name}: the sound server switched to another device")
        if not self._ring.waiting:
            if self._ended or monotonic_ns() - self._last_ns > _SILENT_NS:
                raise SourceLost(f"{self._name}: the device stopped delivering sound")
            return EMPTY
        while self._stamps:
            self._clock.update(*self._stamps.popleft())
        waiting = self._ring.waiting
        stale = waiting > _STALE_S * self._rate_hz  # whoever reads is too slow
        limit = int(_KEPT_S * self._rate_hz) if stale else waiting
        _, sound, lost = self._ring.read(limit, newest=stale)
        mono = np.nan_to_num(self._converter.accept(sound))
        self._lost += lost
        # the resampler withholds some sound: count what came out of it, not what went in
        first = self._lost + self._delivered * self._rate_hz / SAMPLE_RATE_HZ
        self._delivered += len(mono)
        return Block(
            mono,
            self._clock.ns(first),
            lost * SAMPLE_RATE_HZ // self._rate_hz,
            self._last_ns,
        )

    def on_move(self) -> None:
        """Notes that what comes now is another device's sound."""
        self._moved = True
        self._arrived.set()

    def _callback(self, block: np.ndarray, frames: int, times: Any, _status: Any) -> None:
        now = monotonic_ns()
        # since it was called, this thread may have waited for the interpreter
        called_ns = now - int((self.stream.time - times.currentTime) * SECOND_NS)
        # PulseAudio's own account of its delay wanders by 30 ms in the first ten seconds of a
        # stream, while the blocks arrive in step: only the least delay is believed, and not
        # every host knows one
        delay_s = max(times.currentTime - times.inputBufferAdcTime, frames / self._rate_hz)
        self._delay_s = min(self._delay_s, delay_s)
        self._ring.write(block)
        self._stamps.append((self._written, called_ns - int(self._delay_s * SECOND_NS)))
        self._written += frames
        self._last_ns = now
        if self._ring.waiting >= self._wanted:
            self._arrived.set()

    def _finished(self) -> None:
        self._ended = True
        self._arrived.set()
