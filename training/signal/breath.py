"""Breath: noise in the shape of breathing in and out, through mouth or nose.

The spectrum of breathing in while speaking falls with frequency and has several weak peaks below
3 kHz, which are those of a central vowel, its first a little higher (Werner et al. 2023, 134
people; 2021). Through the nose, noise reaches beyond the range of hearing (Groeger and Wiegrebe
2006), and its peaks are those of the nasal cavity. That is from abstracts; durations (0.3 to 0.8 s
amid speech, 1 to 3 s at rest) and the nasal peaks are from memory. Each breath is another one:
slopes, peaks and durations are drawn from ranges wider than measured means.
"""

from typing import NamedTuple, Tuple

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ

from .level import decibels
from .noise import coloured_noise

_MOUTH_HZ = (600, 1500, 2600)
_NOSE_HZ = (300, 1000, 2100)
_PEAK_DB = (3, 10)
_BREADTH_HZ = (150, 500)
_LONGER = (0.85, 1.15)  # frequencies of peaks: vocal tracts of women and men


class Breath(NamedTuple):
    """peaks_hz: mean ones; slope: range of the exponent by which power falls with frequency, 1 is
    3 dB an octave; seconds: range; loudest: when it is loudest, as a share of its duration.
    """

    name: str
    peaks_hz: Tuple[float, ...]
    slope: Tuple[float, float]
    seconds: Tuple[float, float]
    loudest: float

    def sound(self, rng: np.random.Generator) -> np.ndarray:
        """One breath, float32 [N] at 16 kHz of unit level."""
        n = int(SAMPLE_RATE_HZ * rng.uniform(*self.seconds))
        spectrum = np.fft.rfft(coloured_noise(rng, n, rng.uniform(*self.slope)))
        hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ)
        longer = rng.uniform(*_LONGER)
        for peak_hz in self.peaks_hz:
            away = (hz - longer * peak_hz) / rng.uniform(*_BREADTH_HZ)
            spectrum *= decibels(rng.uniform(*_PEAK_DB) / (1 + away**2))
        time = np.linspace(0, 1, n)
        swell = time**self.loudest * (1 - time) ** (1 - self.loudest)  # loudest at that time
        noise = np.fft.irfft(spectrum, n) * swell
        return (noise / noise.std()).astype(np.float32)


BREATHS = (
    Breath("in through the mouth, amid speech", _MOUTH_HZ, (1, 3), (0.3, 0.8), 0.6),
    Breath("in through the mouth", _MOUTH_HZ, (1, 3), (1.0, 2.0), 0.6),
    Breath("out through the mouth", _MOUTH_HZ, (1, 3), (1.0, 3.0), 0.3),
    Breath("in through the nose, amid speech", _NOSE_HZ, (0, 2), (0.3, 0.8), 0.6),
    Breath("in through the nose", _NOSE_HZ, (0, 2), (1.0, 2.0), 0.6),
    Breath("out through the nose", _NOSE_HZ, (0, 2), (1.0, 3.0), 0.3),
)
