"""Microphones and whatever else PortAudio can record."""

from typing import Any, Optional

from ..core.errors import UnavailableError, one_line
from ..core.rates import SAMPLE_RATE_HZ
from ..devices import portaudio
from ..devices.bounded_call import BoundedCaller
from ..devices.pulse import MoveGuard
from .base import Block, Source
from .capture import Capture


class MicSource(Source):
    """A recording device.

    :param device: its name, of which a part is enough; None for the system's default
    """

    live = True

    def __init__(self, device: Optional[str] = None) -> None:
        super().__init__("mic" if device is None else f"mic:{device}")
        self._device = device
        self._caller = BoundedCaller(self.name)
        self._capture: Optional[Capture] = None
        self._guard: Optional[MoveGuard] = None

    def open(self) -> None:
        """Starts recording.

        :raises UnavailableError: the device is missing, or cannot be opened
        """
        sounddevice = portaudio.load()
        try:
            capture = self._caller.call(
                portaudio.ANSWER_S,
                lambda: self._start(sounddevice),
                discard=lambda late: portaudio.DEVICES.discard(late.stream),
            )
        except sounddevice.PortAudioError as error:
            raise UnavailableError(
                f"microphone {self.name}: {one_line(error)};"
                " `edgeface devices` lists what is available"
            ) from None
        self._guard = MoveGuard(capture.on_move)
        self._capture = capture

    def read(self, timeout_s: float) -> Block:
        """The sound that has come since the last call, or `base.EMPTY`.

        :raises SourceLost: the device stopped delivering, or the server now records another one
        """
        assert self._capture is not None, "open it first"
        return self._capture.read(timeout_s)

    def close(self) -> None:
        """Stops recording; never waits for a device that hangs."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        if self._capture is not None:
            portaudio.DEVICES.close(self._capture.stream, self._caller)
            self._capture = None

    def _start(self, sounddevice: Any) -> Capture:
        info = portaudio.DEVICES.find(self._device, "input")
        try:
            capture = Capture(self.name, sounddevice, info, SAMPLE_RATE_HZ, 1)
        except sounddevice.PortAudioError:  # not at our rate: at its own
            rate_hz = int(info["default_samplerate"])
            channels = min(2, info["max_input_channels"])
            capture = Capture(self.name, sounddevice, info, rate_hz, channels)
        portaudio.DEVICES.start(capture.stream)
        return capture
