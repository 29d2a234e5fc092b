"""An output device whose samples are addressed by their position since it was opened."""

from typing import Any, Dict, Optional

import numpy as np

from ..core.errors import UnavailableError, one_line
from ..core.rates import SAMPLE_RATE_HZ
from ..devices import portaudio
from ..devices.bounded_call import BoundedCaller
from ..devices.changes import Search
from .stream import PlayingStream


class Output:
    """Plays what `write` puts on its time line, and silence elsewhere.

    :param device: its name, of which a part is enough; None for the system's default
    """

    def __init__(self, device: Optional[str] = None) -> None:
        self.name = device or "default"
        self._device = device
        self._caller = BoundedCaller(f"playback {self.name}")
        self._search = Search()
        self._playing: Optional[PlayingStream] = None

    def open(self) -> None:
        """Starts playing silence.

        :raises UnavailableError: the device is missing, or cannot be opened
        """
        self._playing = self._search.call(self._open)
        self._search.found()

    @property
    def rate_hz(self) -> int:
        """Its sampling rate; while it is open."""
        return self._opened().rate_hz

    @property
    def stopped(self) -> bool:
        """Whether it is closed, or the device stopped playing."""
        return self._playing is None or self._playing.stopped

    def position_at(self, ns: int) -> Optional[float]:
        """Position that is heard at CLOCK_MONOTONIC `ns`; None before anything was."""
        return self._opened().position_at(ns)

    def write(self, position: int, samples: np.ndarray) -> None:
        """Puts float32 [n] at a position; what comes too late to be heard is dropped."""
        self._opened().write(position, samples)

    def close(self) -> None:
        """Stops playing; never waits for a device that hangs."""
        if self._playing is not None:
            portaudio.DEVICES.close(self._playing.stream, self._caller)
            self._playing = None

    def _opened(self) -> PlayingStream:
        assert self._playing is not None, "open it first"
        return self._playing

    def _open(self) -> PlayingStream:
        return self._caller.call(
            portaudio.ANSWER_S,
            self._start,
            discard=lambda late: portaudio.DEVICES.discard(late.stream),
        )

    def _start(self) -> PlayingStream:
        """Opens and starts a stream; takes as long as the device does."""
        with portaudio.DEVICES.turn():
            info = portaudio.DEVICES.find(self._device, "output")
            sounddevice = portaudio.load()
            try:
                playing = self._play(sounddevice, info)
                portaudio.DEVICES.start(playing.stream)
            except sounddevice.PortAudioError as error:
                raise UnavailableError(
                    f"playback {self.name}: {one_line(error)};"
                    " `edgeface devices` lists what is available"
                ) from None
        return playing

    def _play(self, sounddevice: Any, info: Dict[str, Any]) -> PlayingStream:
        """A stream at our rate, or at the device's own."""
        try:
            return PlayingStream(sounddevice, info, SAMPLE_RATE_HZ)
        except sounddevice.PortAudioError:
            rate_hz = max(SAMPLE_RATE_HZ, int(info["default_samplerate"]))
            return PlayingStream(sounddevice, info, rate_hz)
