"""Any sampling rate and number of channels to 16 kHz mono, as a stream."""

import logging
from typing import Callable, Optional

import numpy as np

from ..core.rates import SAMPLE_RATE_HZ
from ..voice import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

__all__ = ["HIGHEST_RATE_HZ", "LOWEST_RATE_HZ", "Converter"]
_LOG = logging.getLogger(__name__)
_WINDOWS_PER_S = 50
_FORGOTTEN_WINDOWS = 12.5  # 0.25 s: time constant of the energies that are compared
_AUDIBLE = 1e-6  # mean square, -60 dBFS: below it nothing is decided
_LOUDEST = 1e3  # floating-point sound may hold anything; no sum of this overflows
_CANCELS = 1 / 12  # of the loudest channel's energy; one of four channels alone is 1 / 16


class Mixer:
    """Averages channels, unless they cancel: then the loudest of them alone is taken.

    Channels cancel where one is the other with its sign turned, and nearly so where one of many
    carries the voice. It is decided from whole windows at fixed positions of the stream, and
    holds from the next one on, so that any chunking gives the same bits.

    :param rate_hz: rate of the sound
    :param channels: how many there are, at least 2
    :param on_choice: called once with the number of the channel that is taken first, from 0
    """

    def __init__(self, rate_hz: int, channels: int, on_choice: Callable[[int], None]) -> None:
        self._on_choice = on_choice
        self._window = np.zeros((max(1, rate_hz // _WINDOWS_PER_S), channels), np.float32)
        self._filled = 0  # frames of the window
        self._keep = float(np.exp(-1 / _FORGOTTEN_WINDOWS))
        self._weight = 0.0  # frames that the energies stand for
        self._energies = np.zeros(channels)
        self._mixed_energy = 0.0
        self._channel: Optional[int] = None  # taken alone; None: the average of all
        self._faded: Optional[int] = None  # what was taken in the window before

    def accept(self, block: np.ndarray) -> np.ndarray:
        """Mixes a block.

        :param block: float32 [n, channels]
        :return: float32 [n]
        """
        mono = np.empty(len(block), np.float32)
        at = 0
        while at < len(block):
            count = min(len(self._window) - self._filled, len(block) - at)
            piece = block[at : at + count]
            mono[at : at + count] = self._mix(piece)
            self._window[self._filled : self._filled + count] = piece
            self._filled += count
            at += count
            if self._filled == len(self._window):
                self._decide()
        return mono

    def _mix(self, piece: np.ndarray) -> np.ndarray:
        """Mixes a piece of the current window, fading over from what was taken before."""
        mono = self._taken(piece, self._channel)
        if self._channel == self._faded:
            return mono
        frames = np.arange(self._filled + 1, self._filled + len(piece) + 1, dtype=np.float32)
        share = frames / np.float32(len(self._window))
        before = self._taken(piece, self._faded)
        return before + share * (mono - before)

    def _taken(self, sound: np.ndarray, channel: Optional[int]) -> np.ndarray:
        if channel is not None:
            return sound[:, channel]
        total = sound[:, 0]
        for i in range(1, sound.shape[1]):  # in this order whatever the length, unlike np.mean
            total = total + sound[:, i]
        return total / np.float32(sound.shape[1])

    def _decide(self) -> None:
        """Takes the full window into account; what it decides holds from the next one on."""
        self._filled = 0
        self._faded = self._channel
        self._weight = self._weight * self._keep + len(self._window)
        self._energies = self._energies * self._keep + _energy(self._window)
        mixed = self._taken(self._window, None)
        self._mixed_energy = self._mixed_energy * self._keep + float(_energy(mixed))
        loudest = int(np.argmax(self._energies))
        most = float(self._energies[loudest])
        if most < _AUDIBLE * self._weight:
            return
        if self._channel is None:
            if self._mixed_energy < _CANCELS * most:
                self._channel = loudest
                self._on_choice(loudest)
        elif self._energies[self._channel] < _CANCELS * most:
            self._channel = loudest


def _energy(sound: np.ndarray) -> np.ndarray:
    """Sum of squares over the first axis, float64."""
    return np.square(sound, dtype=np.float64).sum(axis=0)


class Converter:
    """Mixes the channels and resamples.

    :param rate_hz: rate of the input, 2000 to 768000
    :param name: of the source, for the message that its channels cancel; empty for no message
    """

    def __init__(self, rate_hz: int, name: str = "") -> None:
        self._rate_hz = rate_hz
        self._name = name
        self._mixer: Optional[Mixer] = None
        self._resampler = None
        if rate_hz != SAMPLE_RATE_HZ:
            import soxr  # which most sources never need

            self._resampler = soxr.ResampleStream(
                rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ"
            )

    def accept(self, block: np.ndarray, last: bool = False) -> np.ndarray:
        """Takes sound, and gives what can be resampled by now.

        :param block: float32 [n, channels], finite
        :param last: whether nothing follows, so that all of it must come out
        :return: float32 [m], -1..1
        """
        if block.shape[1] > 1 or self._resampler is not None:
            block = np.clip(block, -_LOUDEST, _LOUDEST)
        mono = block[:, 0] if block.shape[1] == 1 else self._mix(block)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono), last=last)
        return np.clip(mono, -1.0, 1.0).astype(np.float32)

    def finish(self) -> np.ndarray:
        """The sound that the resampler still holds back, float32 [m]; nothing may follow."""
        return self.accept(np.zeros((0, 1), np.float32), last=True)

    def _mix(self, block: np.ndarray) -> np.ndarray:
        if self._mixer is None:
            self._mixer = Mixer(self._rate_hz, block.shape[1], self._say)
        return self._mixer.accept(block)

    def _say(self, channel: int) -> None:
        if self._name:
            _LOG.warning(
                "%s: its channels cancel each other out; channel %d alone is used",
                self._name,
                channel + 1,
                extra={"event": "channels_cancel"},
            )
