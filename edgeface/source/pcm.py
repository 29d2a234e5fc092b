"""What raw sound is: sampling rate, channels, and how a sample is written."""

from typing import NamedTuple

import numpy as np

from ..core.rates import SAMPLE_RATE_HZ
from .convert import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

_SAMPLE_BYTES = {"u8": 1, "s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4}
ENCODINGS = tuple(_SAMPLE_BYTES)  # as ffmpeg names them
MOST_CHANNELS = 32


class Pcm(NamedTuple):
    """A format of raw sound; by default that of the face."""

    rate_hz: int = SAMPLE_RATE_HZ
    channels: int = 1
    encoding: str = "s16le"
    """one of `ENCODINGS`"""

    @property
    def frame_bytes(self) -> int:
        """Of a sample of every channel."""
        return self.channels * _SAMPLE_BYTES[self.encoding]

    def check(self) -> "Pcm":
        """The same.

        :raises ValueError: it is none, or out of range
        """
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            raise ValueError(f"a rate out of {LOWEST_RATE_HZ}..{HIGHEST_RATE_HZ} Hz")
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise ValueError(f"channels out of 1..{MOST_CHANNELS}")
        if self.encoding not in _SAMPLE_BYTES:
            raise ValueError(f"a format other than {', '.join(ENCODINGS)}")
        return self

    def decode(self, data: bytes) -> np.ndarray:
        """Whole frames as float32 [n, channels], finite; -1..1 but for f32le."""
        if self.encoding == "u8":
            sound = (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0
        elif self.encoding == "s16le":
            sound = np.frombuffer(data, "<i2").astype(np.float32) / 32768.0
        elif self.encoding == "s24le":
            widened = np.zeros((len(data) // 3, 4), np.uint8)
            widened[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            sound = widened.view("<i4")[:, 0].astype(np.float32) / 2.0**31
        elif self.encoding == "s32le":
            sound = np.frombuffer(data, "<i4").astype(np.float32) / 2.0**31
        else:
            values = np.frombuffer(data, "<f4")
            sound = np.where(np.isfinite(values), values, 0.0).astype(np.float32)
        return sound.reshape(-1, self.channels)
