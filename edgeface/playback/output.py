"""An output device whose samples are addressed by their position since its start."""

from collections import deque

import numpy as np

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import SAMPLE_RATE_HZ
from ..devices import portaudio
from ..devices.bounded_call import Impatient
from ..devices.sample_clock import SampleClock

_BUFFER_S = 3.0
_BLOCK_S = 0.01
_SILENT_NS = 1000 * 1000 * 1000  # no callback for so long: the device is gone


class Output:
    """Plays what `write` puts on its time line, and silence elsewhere.

    :param device: name, a part of it is enough; None for the system's default
    """

    def __init__(self, device=None):
        self.name = device or "default"
        self._device = device
        self._impatient = Impatient(f"playback {self.name}")
        self._stream = None

    def open(self):
        """Starts playing silence.

        :raises UnavailableError: no such device, or it cannot be opened
        """
        sounddevice = portaudio.load()
        self._ended = False
        self._stamps = deque(maxlen=256)  # (position, ns at which it is heard)
        self._played = 0
        self._last_ns = monotonic_ns() + 2 * _SILENT_NS
        try:
            self._stream = self._impatient.call(
                portaudio.ANSWER_S,
                lambda: self._start(sounddevice),
                discard=lambda late: late.close(),
            )
        except sounddevice.PortAudioError as error:
            raise UnavailableError(
                f"playback {self.name}: {' '.join(str(error).split())}; `edgeface devices` lists what can be played to"
            ) from None

    def _start(self, sounddevice):
        info = portaudio.find_device(self._device, "output")
        try:
            stream = self._stream_at(sounddevice, info, SAMPLE_RATE_HZ)
        except sounddevice.PortAudioError:
            stream = self._stream_at(
                sounddevice, info, max(SAMPLE_RATE_HZ, int(info["default_samplerate"]))
            )
        return portaudio.start(stream)

    def _stream_at(self, sounddevice, info, rate_hz):
        self.rate_hz = rate_hz
        self._clock, self._stamped = SampleClock(rate_hz), False
        self._samples = np.zeros(int(_BUFFER_S * rate_hz), np.float32)
        self._played_by = sounddevice.OutputStream(
            samplerate=rate_hz,
            channels=min(2, info["max_output_channels"]),
            dtype="float32",
            device=info["index"],
            blocksize=int(rate_hz * _BLOCK_S),
            latency="low",
            callback=self._callback,
            finished_callback=self._finished,
        )
        return self._played_by

    def _callback(self, block, frames, times, _status):
        now = monotonic_ns()
        # not times.currentTime: this thread may have waited for the interpreter since then
        delay_s = times.outputBufferDacTime - self._played_by.time
        if not 0 < delay_s < 1.0:  # not every host knows
            delay_s = self._played_by.latency
        at = self._played % len(self._samples)
        first = min(frames, len(self._samples) - at)
        for part, target in (
            (self._samples[at : at + first], block[:first]),
            (self._samples[: frames - first], block[first:]),
        ):
            target[:] = part[:, None]
            part[:] = 0.0
        self._stamps.append((self._played, now + int(delay_s * 1e9)))
        self._played += frames
        self._last_ns = now

    def _finished(self):
        self._ended = True

    @property
    def lost(self):
        """Whether the device stopped playing."""
        return self._ended or monotonic_ns() - self._last_ns > _SILENT_NS

    def position_at(self, ns):
        """Position, float, that is heard at this time of CLOCK_MONOTONIC; None before anything was."""
        while self._stamps:
            self._clock.update(*self._stamps.popleft())
            self._stamped = True
        return self._clock.position(ns) if self._stamped else None

    def write(self, position, samples):
        """Puts float32 [n] at a position; returns how many of them come too late to be heard."""
        late = min(len(samples), max(0, self._played - position))
        samples = samples[late:][: len(self._samples) // 2]
        at = (position + late) % len(self._samples)
        first = min(len(samples), len(self._samples) - at)
        self._samples[at : at + first] = samples[:first]
        self._samples[: len(samples) - first] = samples[first:]
        return late

    def close(self):
        """Stops playing; never waits for a device that hangs."""
        stream, self._stream = self._stream, None
        if stream is not None:
            portaudio.close(stream, self._impatient)
