"""Altered voices, by the WORLD vocoder."""

from typing import Sequence

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ

_HIGHEST_HZ = SAMPLE_RATE_HZ / 2


class Voice:
    """What the WORLD vocoder finds in speech, so that other talkers say the same at the same time.

    :param samples: float32 [N] at 16 kHz
    """

    def __init__(self, samples: np.ndarray):
        import pyworld  # needed for nothing else

        x = samples.astype(np.float64)
        self._samples = len(x)
        self._world = pyworld
        self.f0_hz, time_s = pyworld.harvest(x, SAMPLE_RATE_HZ, f0_floor=60.0, f0_ceil=500.0)
        """0 where there is no voice, every 5 ms, [T]"""
        self.log_envelope = np.log(pyworld.cheaptrick(x, self.f0_hz, time_s, SAMPLE_RATE_HZ))
        """natural logarithms of power, [T, B], of bins from 0 to 8 kHz"""
        self.noise = pyworld.d4c(x, self.f0_hz, time_s, SAMPLE_RATE_HZ)
        """share of noise in the amplitude, [T, B]"""

    def changed(self, pitch: float, formants: float) -> np.ndarray:
        """Speech of another talker.

        :param pitch: factor on F0
        :param formants: factor on the formant frequencies (a shorter vocal tract above 1)
        :return: float32 [N]
        """
        envelope = moved(self.log_envelope, (0, _HIGHEST_HZ), (0, _HIGHEST_HZ * formants))
        return self.speak(self.f0_hz * pitch, envelope, self.noise)

    def speak(self, f0_hz: np.ndarray, log_envelope: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Speech of other parts in the form of its own, float32 [N]."""
        envelope = np.ascontiguousarray(np.exp(log_envelope))
        y = self._world.synthesize(f0_hz, envelope, noise, SAMPLE_RATE_HZ)
        y = np.pad(y, (0, max(0, self._samples - len(y))))
        return y[: self._samples].astype(np.float32)


def frequencies(log_envelope: np.ndarray) -> np.ndarray:
    """Frequencies in Hz of the bins of an envelope [T, B]: [B]."""
    return np.linspace(0, _HIGHEST_HZ, log_envelope.shape[1])


def moved(log_envelope: np.ndarray, from_hz: Sequence[float], to_hz: Sequence[float]) -> np.ndarray:
    """An envelope [T, B] with formants at other frequencies; what is between them moves along."""
    hz = frequencies(log_envelope)
    source = np.interp(hz, to_hz, from_hz) / hz[1]
    low = np.clip(source.astype(int), 0, len(source) - 2)
    part = np.clip(source - low, 0.0, 1.0)
    return log_envelope[:, low] * (1 - part) + log_envelope[:, low + 1] * part
