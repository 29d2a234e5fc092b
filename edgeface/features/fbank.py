"""Kaldi log-mel filterbank (Fbank) as a stream.

The definition is Kaldi's `compute-fbank-feats` with the settings that
FastHuBERT was trained on: 16 kHz, 25 ms windows every 10 ms without padding at
the edges, no dither, DC removal, pre-emphasis 0.97, Povey window, 512-point
power spectrum, 80 mel triangles from 20 to 8000 Hz, natural logarithm.
"""

from typing import Union

import numpy as np

from ..core.rates import SAMPLE_RATE_HZ
from .framer import Framer, overlapping

MEL_BINS = 80
WINDOW_SAMPLES = 400
SHIFT_SAMPLES = 160
FFT_SIZE = 512
PREEMPHASIS = 0.97
_LOWEST_HZ = 20.0
_INT16_SCALE = np.float32(32768.0)  # Kaldi's samples are those of 16-bit files
LOG_FLOOR = np.float32(1.1920929e-07)
SILENCE = float(np.log(LOG_FLOOR))  # every bin of digital silence: -15.942385
FBANK_PER_FRAME = 4  # rows of one face frame
_PREEMPHASIS = np.float32(PREEMPHASIS)
_MEAN_SHARE = np.float32((1.0 - PREEMPHASIS) / WINDOW_SAMPLES)  # of a frame's sum
_FRAMES_PER_BLOCK = FBANK_PER_FRAME  # a fixed number keeps results bit-identical


def _mel(hz: Union[float, np.ndarray]) -> np.ndarray:
    return 1127.0 * np.log(1.0 + np.asarray(hz, np.float64) / 700.0)


def mel_banks() -> np.ndarray:
    """Weights of the mel triangles, float32 [80, 257]; triangles are linear in mel."""
    low = _mel(_LOWEST_HZ)
    high = _mel(SAMPLE_RATE_HZ / 2)
    step = (high - low) / (MEL_BINS + 1)
    left = low + step * np.arange(MEL_BINS)[:, None]
    bins = _mel(np.arange(FFT_SIZE // 2) * SAMPLE_RATE_HZ / FFT_SIZE)[None, :]
    weights = np.maximum(0.0, np.minimum((bins - left) / step, (left + 2 * step - bins) / step))
    with_nyquist = np.pad(weights, ((0, 0), (0, 1)), "constant")  # which counts nothing
    return with_nyquist.astype(np.float32)


def povey_window() -> np.ndarray:
    """Weights of a window of samples, float32 [400]."""
    n = np.arange(WINDOW_SAMPLES)
    return ((0.5 - 0.5 * np.cos(2 * np.pi * n / (WINDOW_SAMPLES - 1))) ** 0.85).astype(np.float32)


class Fbank:
    """Streaming Fbank: frame j covers samples 160 j .. 160 j + 399.

    :param block: frames that are computed at once
    """

    def __init__(self, block: int = _FRAMES_PER_BLOCK) -> None:
        span = WINDOW_SAMPLES + SHIFT_SAMPLES * (block - 1)
        self._framer = Framer(span, SHIFT_SAMPLES * block)
        self._banks = np.ascontiguousarray(mel_banks().T)
        # Of a frame, samples 1 .. 399: the first one weighs nothing, and a shift changes no power.
        self._window = povey_window()[1:] * _INT16_SCALE
        self._silence = np.full((block, MEL_BINS), SILENCE, np.float32)

    def reset(self) -> None:
        """Forgets all samples."""
        self._framer.reset()

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """Takes sound.

        :param samples: float32 [n], -1..1, 16 kHz
        :return: the frames now complete, float32 [m, 80], in whole blocks
        """
        blocks = self._framer.accept(samples)
        if not len(blocks):
            return np.zeros((0, MEL_BINS), np.float32)
        return np.concatenate([self._block(block) for block in blocks])

    def finish(self) -> np.ndarray:
        """The frames that the last samples complete, float32 [m, 80]; then `reset`."""
        block, real = self._framer.flush(WINDOW_SAMPLES)
        if block is None:
            return np.zeros((0, MEL_BINS), np.float32)
        return self._block(block)[: 1 + (real - WINDOW_SAMPLES) // SHIFT_SAMPLES]

    def _block(self, block: np.ndarray) -> np.ndarray:
        if not block.dot(block):
            return self._silence.copy()
        sums = np.add.reduce(overlapping(block, WINDOW_SAMPLES, SHIFT_SAMPLES), 1, keepdims=True)
        # pre-emphasis of a frame without its mean is that of the block, and less of the mean
        emphasised = block[1:] - _PREEMPHASIS * block[:-1]
        frames = overlapping(emphasised, WINDOW_SAMPLES - 1, SHIFT_SAMPLES) - _MEAN_SHARE * sums
        spectrum = np.fft.rfft(frames * self._window, FFT_SIZE)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)
        return np.log(np.maximum(power @ self._banks, LOG_FLOOR))
