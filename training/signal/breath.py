"""Breath: noise in the shape of breathing in and out, through mouth or nose.

The spectrum of breathing in while speaking falls with frequency and has several weak peaks below
3 kHz, which are those of a central vowel, its first a little higher (Werner et al. 2023, 134
people; 2021). Through the nose, noise reaches beyond the range of hearing (Groeger and Wiegrebe
2006), and its peaks are those of the nasal cavity. That is from abstracts; durations (0.3 to 0.8 s
amid speech, 1 to 3 s at rest) and the nasal peaks are from memory. Each breath is another one:
slopes, peaks and durations are drawn from ranges wider than measured means.
"""

from typing import List, NamedTuple, Tuple

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ

from .level import decibels
from .noise import coloured_noise

_MOUTH_HZ = (600, 1500, 2600)
_NOSE_HZ = (300, 1000, 2100)
_PEAK_DB = (3, 10)
_BREADTH_HZ = (150, 500)
_LONGER = (0.85, 1.15)  # frequencies of peaks: vocal tracts of women and men
# of breaths in recordings, in steps of 10 ms
_STEP = SAMPLE_RATE_HZ // 100
_SMOOTH = 5
_QUIET = (4, 10)  # dB above this percentile of the level
_LOUD = (85, -12)
_APART = 3  # from speech
_STEPS = (20, 120)
_HISS_HZ = 4500
_HISS = 0.15  # of the power
_PIECE = 640  # samples
_PERIODS = slice(40, 270)  # samples
_PERIODIC = 0.35  # share of the power


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
    Breath("in through the mouth, amid speech", _MOUTH_HZ, (0.5, 2), (0.3, 0.8), 0.6),
    Breath("in through the mouth", _MOUTH_HZ, (0.5, 2), (1.0, 2.0), 0.6),
    Breath("out through the mouth", _MOUTH_HZ, (0.5, 2), (1.0, 3.0), 0.3),
    Breath("in through the nose, amid speech", _NOSE_HZ, (0, 2), (0.3, 0.8), 0.6),
    Breath("in through the nose", _NOSE_HZ, (0, 2), (1.0, 2.0), 0.6),
    Breath("out through the nose", _NOSE_HZ, (0, 2), (1.0, 3.0), 0.3),
)


def find_breaths(samples: np.ndarray) -> List[Tuple[int, int]]:
    """Where somebody breathes in pauses of speech: first sample and end, 30 ms of silence included.

    A breath is softer than speech, louder than the silence around it on both sides, has no period,
    and is neither as short as a release of a consonant nor as bright as a hiss.

    :param samples: float32 [N] at 16 kHz
    """
    steps = samples[: len(samples) // _STEP * _STEP].reshape(-1, _STEP)
    level = 10 * np.log10((steps**2).mean(1) + 1e-12)
    level = np.convolve(np.pad(level, _SMOOTH // 2, "edge"), np.ones(_SMOOTH) / _SMOOTH, "valid")
    quiet = level < np.percentile(level, _QUIET[0]) + _QUIET[1]
    soft = level < np.percentile(level, _LOUD[0]) + _LOUD[1]
    edges = np.flatnonzero(np.diff(quiet.astype(int)))  # the last step before each change
    found = []
    for before, last in zip(edges, edges[1:]):
        first, end = before + 1, last + 1
        around = quiet[max(0, first - _APART) : first].all() and quiet[end : end + _APART].all()
        inside = not quiet[first] and soft[first:end].all()
        as_long = _STEPS[0] <= end - first <= _STEPS[1]
        if as_long and inside and around and _is_breath(samples[first * _STEP : end * _STEP]):
            found.append((_STEP * int(first - _APART), _STEP * int(end + _APART)))
    return found


def _is_breath(samples: np.ndarray) -> bool:
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    bright = power[hz > _HISS_HZ].sum() / power.sum()
    pieces = np.lib.stride_tricks.sliding_window_view(samples, _PIECE)[:: _PIECE // 2]
    spectrum = np.fft.rfft(pieces * np.hanning(_PIECE), 2 * _PIECE)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)
    period = likeness[:, _PERIODS].max(1) / likeness[:, 0]
    return bool(bright < _HISS and np.median(period) < _PERIODIC)
