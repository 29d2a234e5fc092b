"""Microphones and whatever else PortAudio can record."""

from typing import Any, Dict, Optional

from ..core.errors import UnavailableError, one_line
from ..core.rates import SAMPLE_RATE_HZ
from ..devices import portaudio, pulse
from ..devices.bounded_call import BoundedCaller
from ..devices.changes import Search
from .base import BLOCK_SAMPLES, Block, Source, SourceLost
from .capture import Capture
from .gain import NO_GAIN, Gain


class MicSource(Source):
    """A recording device.

    :param device: its name, of which a part is enough; None for the system's default
    :param gain: how its sound is amplified
    """

    live = True

    def __init__(self, device: Optional[str] = None, gain: Gain = NO_GAIN) -> None:
        super().__init__("mic" if device is None else f"mic:{device}")
        self._device = device
        self._gain = gain
        self._caller = BoundedCaller(self.name)
        self._checker = BoundedCaller(self.name)  # so that a check that hangs blocks no closing
        self._search = Search()
        self._capture: Optional[Capture] = None
        self._guard: Optional[pulse.MoveGuard] = None
        self._delivers = False  # since it was opened

    def open(self) -> None:
        """Starts recording.

        :raises UnavailableError: the device is missing, or cannot be opened
        """
        capture = self._search.call(self._open)
        self._guard = pulse.MoveGuard(capture.on_move)
        self._capture = capture
        self._delivers = False

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Block:
        """The sound that has come since the last call, or `base.EMPTY`.

        :raises SourceLost: the device stopped delivering, or the server now records another one
        """
        assert self._capture is not None, "open it first"
        try:
            block = self._capture.read(timeout_s, samples)
        except SourceLost as error:
            if not self._delivers:
                self._search.fail(str(error))
            raise
        if len(block.samples) and not self._delivers:
            self._delivers = True
            self._search.found()
        return block._replace(samples=self._gain.apply(block.samples))

    def close(self) -> None:
        """Stops recording; never waits for a device that hangs."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        if self._capture is not None:
            portaudio.DEVICES.close(self._capture.stream, self._caller)
            self._capture = None

    def _open(self) -> Capture:
        capture = self._caller.call(
            portaudio.ANSWER_S,
            self._start,
            discard=lambda late: portaudio.DEVICES.discard(late.stream),
        )
        try:
            other = self._checker.call(pulse.ANSWER_S, pulse.replacement)
        except UnavailableError:
            portaudio.DEVICES.close(capture.stream, self._caller)
            raise
        if other:
            portaudio.DEVICES.close(capture.stream, self._caller)
            raise UnavailableError(
                f"microphone {self.name}: not found, the sound server offers {other} instead;"
                " plug one in, or name one that `edgeface devices` lists"
            )
        return capture

    def _start(self) -> Capture:
        """Opens and starts a stream; takes as long as the device does."""
        with portaudio.DEVICES.turn():
            info = portaudio.DEVICES.find(self._device, "input")
            sounddevice = portaudio.load()
            try:
                capture = self._record(sounddevice, info)
                portaudio.DEVICES.start(capture.stream)
            except sounddevice.PortAudioError as error:
                raise UnavailableError(
                    f"microphone {self.name}: {one_line(error)};"
                    " `edgeface devices` lists what is available"
                ) from None
        return capture

    def _record(self, sounddevice: Any, info: Dict[str, Any]) -> Capture:
        """A stream of all channels at our rate, or of what the device has instead."""
        rates_hz = (SAMPLE_RATE_HZ, int(info["default_samplerate"]))
        channels = portaudio.channels_of(info)
        attempts = [(rate_hz, count) for count in (channels, 1) for rate_hz in rates_hz]
        for rate_hz, count in attempts[:-1]:
            try:
                return Capture(self.name, sounddevice, info, rate_hz, count)
            except sounddevice.PortAudioError:
                continue
        return Capture(self.name, sounddevice, info, *attempts[-1])
