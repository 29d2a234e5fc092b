"""Microphones and whatever else PortAudio can record."""

import threading
from collections import deque

import numpy as np

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import SAMPLE_RATE_HZ
from ..devices import portaudio
from ..devices.bounded_call import Impatient
from ..devices.pulse import MoveGuard
from ..devices.ring import Ring
from ..devices.sample_clock import ArrivalClock
from .block import EMPTY, Block, SourceLost
from .convert import Converter

_BLOCK_S = 0.01
_RING_S = 2.0
_SILENT_NS = 500 * 1000 * 1000  # no callback for so long: the device is gone
_FIRST_NS = 3000 * 1000 * 1000  # ... but the first one may take its time
_LONGEST_DELAY_S = 1.0
_STALE_S, _KEEP_S = 0.5, 0.1  # of a longer backlog only the newest is kept
_MEND = "`edgeface devices` lists what can be recorded"


class _Capture:
    """One open stream: what its callback fills and `MicSource.read` empties.

    Every opening has its own, so that the last words of an old stream cannot
    disturb a new one.
    """

    def __init__(self, sounddevice, info, rate_hz, channels, arrived):
        self.rate_hz = rate_hz
        self.ring = Ring(int(_RING_S * rate_hz), channels)
        self.stamps = deque(maxlen=256)  # (samples written before, ns of the first of the block)
        self.ended = self.replaced = False
        self.last_ns = monotonic_ns() + _FIRST_NS - _SILENT_NS
        self._arrived = arrived
        self._written = 0
        self._delay_s = _LONGEST_DELAY_S
        self.stream = sounddevice.InputStream(
            samplerate=rate_hz,
            channels=channels,
            dtype="float32",
            device=info["index"],
            blocksize=int(rate_hz * _BLOCK_S),
            latency="low",
            callback=self._callback,
            finished_callback=self._finished,
        )

    def _callback(self, block, frames, times, _status):
        now = monotonic_ns()
        # since it was called, this thread may have waited for the interpreter
        called_ns = now - int((self.stream.time - times.currentTime) * 1e9)
        # PulseAudio's own account of its delay wanders by 30 ms in the first ten seconds of a stream, while the
        # blocks arrive in step: only the least delay is believed, and not every host knows one
        self._delay_s = min(
            self._delay_s, max(times.currentTime - times.inputBufferAdcTime, frames / self.rate_hz)
        )
        self.ring.write(block)
        self.stamps.append((self._written, called_ns - int(self._delay_s * 1e9)))
        self._written += frames
        self.last_ns = now
        self._arrived.set()

    def _finished(self):
        self.ended = True
        self._arrived.set()

    def moved(self):
        """Says that what comes now is another device's sound."""
        self.replaced = True
        self._arrived.set()


class MicSource:
    """A live input.

    :param device: name, a part of it is enough; None for the system's default
    """

    live = True
    playback = False
    pauses = False

    def __init__(self, device=None):
        self.name = "mic" if device is None else f"mic:{device}"
        self._device = device
        self._capture = self._guard = None
        self._arrived = threading.Event()
        self._impatient = Impatient(self.name)

    def open(self):
        """Starts recording.

        :raises UnavailableError: no such device, or it cannot be opened
        """
        sounddevice = portaudio.load()
        try:
            capture = self._impatient.call(
                portaudio.ANSWER_S,
                lambda: self._start(sounddevice),
                discard=lambda late: late.stream.close(),
            )
        except sounddevice.PortAudioError as error:
            raise UnavailableError(
                f"microphone {self.name}: {' '.join(str(error).split())}; {_MEND}"
            ) from None
        self._converter = Converter(capture.rate_hz)
        self._clock = ArrivalClock(capture.rate_hz)
        self._delivered = 0  # samples at 16 kHz
        self._lost = 0  # samples of the device
        self._guard = MoveGuard(capture.moved)
        self._capture = capture

    def _start(self, sounddevice):
        info = portaudio.find_device(self._device, "input")
        try:
            capture = _Capture(sounddevice, info, SAMPLE_RATE_HZ, 1, self._arrived)
        except sounddevice.PortAudioError:
            rate, channels = int(info["default_samplerate"]), min(2, info["max_input_channels"])
            capture = _Capture(sounddevice, info, rate, channels, self._arrived)
        portaudio.start(capture.stream)
        return capture

    def read(self, timeout_s):
        """The sound that has come since, waiting for some at most `timeout_s`; may be an empty `Block`.

        :raises SourceLost: the device stopped delivering
        """
        self._arrived.wait(timeout_s)
        self._arrived.clear()
        capture = self._capture
        if capture.replaced:
            raise SourceLost(f"{self.name}: the sound server put another device in its place")
        if not capture.ring.waiting:
            if capture.ended or monotonic_ns() - capture.last_ns > _SILENT_NS:
                raise SourceLost(f"{self.name}: no more sound from the device")
            return EMPTY
        while capture.stamps:
            self._clock.update(*capture.stamps.popleft())
        waiting = capture.ring.waiting
        stale = waiting > _STALE_S * capture.rate_hz  # whoever reads is too slow
        _, block, lost = capture.ring.read(
            int(_KEEP_S * capture.rate_hz) if stale else waiting, newest=stale
        )
        samples = np.nan_to_num(self._converter.accept(block))
        self._lost += lost
        # the resampler withholds some sound: count what came out of it, not what went in
        first = self._lost + self._delivered * capture.rate_hz / SAMPLE_RATE_HZ
        self._delivered += len(samples)
        return Block(
            samples,
            self._clock.ns(first),
            lost * SAMPLE_RATE_HZ // capture.rate_hz,
            capture.last_ns,
        )

    def close(self):
        """Stops recording; never waits for a device that hangs."""
        capture, self._capture = self._capture, None
        if self._guard is not None:
            self._guard.close()
        if capture is not None:
            portaudio.close(capture.stream, self._impatient)
