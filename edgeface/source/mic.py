"""Microphones and whatever else PortAudio can record."""

import atexit
import threading
from collections import deque

import numpy as np

from ..clock import monotonic_ns
from ..errors import UnavailableError
from ..features import SAMPLE_RATE_HZ
from ..ring import Ring
from .block import Block, SourceLost
from .clock import SampleClock
from .convert import Converter

_BLOCK_S = 0.01
_RING_S = 2.0
_SILENT_NS = 500 * 1000 * 1000  # no callback for so long: the device is gone
_FIRST_NS = 3000 * 1000 * 1000  # ... but the first one may take its time
_ANSWER_S = 4.0  # a sound server that hangs never answers
_CLOSE_S = 0.5
_MEND = "`edgeface devices` lists what can be recorded"


def portaudio():
    """The sounddevice module; UnavailableError where PortAudio is not installed."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise UnavailableError("microphone: PortAudio is missing (%s); apt install libportaudio2" % error) from None
    return sounddevice


def within(seconds, function, what, discard=None):
    """Calls a function that may hang for ever, in a thread of its own.

    :param discard: called with a result that comes too late
    :raises UnavailableError: no answer within `seconds`
    """
    result, lock = [], threading.Lock()

    def call():
        try:
            answer = (function(), None)
        except Exception as error:  # handed to the caller below
            answer = (None, error)
        with lock:
            result.append(answer)
        if len(result) > 1 and answer[1] is None and discard is not None:
            discard(answer[0])

    thread = threading.Thread(target=call, name="edgeface-" + what, daemon=True)
    thread.start()
    thread.join(seconds)
    with lock:
        if not result:
            result.append(None)  # too late from now on
    if result[0] is None:
        raise UnavailableError("microphone: the sound server does not answer; restart it")
    value, error = result[0]
    if error is not None:
        raise error
    return value


class _Capture:
    """One open stream: what its callback fills and `MicSource.read` empties.

    Every opening has its own, so that the last words of an old stream cannot
    disturb a new one.
    """

    def __init__(self, sounddevice, info, rate_hz, channels, arrived):
        self.rate_hz = rate_hz
        self.ring = Ring(int(_RING_S * rate_hz), channels)
        self.stamps = deque(maxlen=256)  # (samples written before, ns of the first of the block)
        self.ended = False
        self.last_ns = monotonic_ns() + _FIRST_NS - _SILENT_NS
        self._arrived = arrived
        self._written = 0
        self.stream = sounddevice.InputStream(
            samplerate=rate_hz, channels=channels, dtype="float32", device=info["index"],
            blocksize=int(rate_hz * _BLOCK_S), latency="low", callback=self._callback, finished_callback=self._finished)

    def _callback(self, block, frames, times, _status):
        now = monotonic_ns()
        delay_s = times.currentTime - times.inputBufferAdcTime
        if not frames / self.rate_hz < delay_s < 1.0:  # not every host knows
            delay_s = frames / self.rate_hz
        self.ring.write(block)
        self.stamps.append((self._written, now - int(delay_s * 1e9)))
        self._written += frames
        self.last_ns = now
        self._arrived.set()

    def _finished(self):
        self.ended = True
        self._arrived.set()


class MicSource:
    """A live input.

    :param device: name, a part of it is enough; None for the system's default
    """

    live = True

    def __init__(self, device=None):
        self.name = "mic" if device is None else "mic:" + device
        self._device = device
        self._capture = None
        self._arrived = threading.Event()

    def open(self):
        """Starts recording.

        :raises UnavailableError: no such device, or it cannot be opened
        """
        sounddevice = portaudio()
        try:
            self._capture = within(_ANSWER_S, lambda: self._start(sounddevice), "open",
                                   discard=lambda late: late.stream.close())
        except sounddevice.PortAudioError as error:
            raise UnavailableError("microphone %s: %s; %s" % (self.name, " ".join(str(error).split()), _MEND)) from None
        self._converter = Converter(self._capture.rate_hz)
        self._clock = SampleClock(self._capture.rate_hz)
        self._delivered = 0  # samples at 16 kHz
        self._lost = 0  # samples of the device

    def _start(self, sounddevice):
        info = find_input(sounddevice, self._device)
        try:
            capture = _Capture(sounddevice, info, SAMPLE_RATE_HZ, 1, self._arrived)
        except sounddevice.PortAudioError:
            rate, channels = int(info["default_samplerate"]), min(2, info["max_input_channels"])
            capture = _Capture(sounddevice, info, rate, channels, self._arrived)
        capture.stream.start()
        return capture

    def read(self, timeout_s):
        """The sound that has come since, waiting for some at most `timeout_s`; may be an empty `Block`.

        :raises SourceLost: the device stopped delivering
        """
        self._arrived.wait(timeout_s)
        self._arrived.clear()
        capture = self._capture
        if not capture.ring.waiting:
            if capture.ended or monotonic_ns() - capture.last_ns > _SILENT_NS:
                raise SourceLost("%s: no more sound from the device" % self.name)
            return Block(np.zeros(0, np.float32), 0, 0)
        while capture.stamps:
            self._clock.update(*capture.stamps.popleft())
        _, block, lost = capture.ring.read(capture.ring.waiting)
        samples = np.nan_to_num(self._converter.accept(block))
        self._lost += lost
        # the resampler withholds some sound: count what came out of it, not what went in
        first = self._lost + self._delivered * capture.rate_hz / SAMPLE_RATE_HZ
        self._delivered += len(samples)
        return Block(samples, self._clock.ns(first), lost * SAMPLE_RATE_HZ // capture.rate_hz,
                     capture.last_ns)

    def close(self):
        """Stops recording; never waits for a device that hangs."""
        capture, self._capture = self._capture, None
        if capture is None:
            return
        try:
            within(_CLOSE_S, capture.stream.close, "close")
        except UnavailableError:
            # PortAudio's own clean-up at exit would wait for the device for ever
            atexit.unregister(portaudio()._exit_handler)


def find_input(sounddevice, wanted):
    """Description of an input device by name or part of it; None for the default.

    :raises UnavailableError: there is none
    """
    for attempt in range(2):
        inputs = [dict(info, index=i) for i, info in enumerate(sounddevice.query_devices())
                  if info["max_input_channels"] > 0]
        if wanted is None:
            default = sounddevice.default.device[0]
            found = [info for info in inputs if info["index"] == default]
        else:
            found = ([info for info in inputs if info["name"] == wanted]
                     or [info for info in inputs if wanted.lower() in info["name"].lower()])
        if found:
            return found[0]
        if attempt == 0:  # the list is as old as PortAudio's start; a device may have come since
            sounddevice._terminate()
            sounddevice._initialize()
    raise UnavailableError("microphone %s: not there; %s" % (wanted or "(default)", _MEND))
