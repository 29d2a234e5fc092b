"""Whispered speech, made of the Fbank of voiced speech, and breath; many at once, on any device.

A whisper has no harmonics, but noise under the same envelope; it lacks the low frequencies of the
voice, by up to 20 dB, and its lower formants are higher (Ito, Takeda and Itakura, 2005: Analysis
and recognition of whispered speech). Fricatives, which are noise above that, stay as they are.
"""

import math
from functools import lru_cache
from typing import Tuple

import torch

from edgeface.core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ
from edgeface.features.fbank import FBANK_PER_FRAME, LOG_FLOOR

from .fbank import fbanks_of
from .noise import unit
from .random_tensors import RandomTensors
from .spectra import band_hz

_SILENCE = math.log(LOG_FLOOR) + 1  # digital, where nothing whispers
_HARMONICS_HZ = 110.0  # deviation of the blur that harmonics do not outlast
_LOW_HZ = 500.0  # below it all of the voice's strength is lost
_HIGH_HZ = (2000.0, 4000.0)  # and nothing above
_LOSS = (2.5, 5.0)  # natural logarithms of power, 11 to 22 dB
_LOUDER = 0.7  # share of the loss that a microphone may make up for
_RAISED = (0.05, 0.3)  # natural logarithm of the frequencies of low formants
_RAISED_HZ = 1500.0  # up to it; half of it there
# of breath
_BREATHS_HZ = (0.15, 0.7)  # in and out
_DUTY = (-0.3, 0.5)  # offset on a sine, the rest of which is silence
_RESONANCES = 4
_RESONANCE_HZ = (250, 5000)
_WIDTH_HZ = (80, 600)
_RESONANCE_DB = (4, 20)
_TILT_DB = (0, 9)  # per octave
_TURN = 2 * math.pi


def raised_formants(random: RandomTensors, rows: torch.Tensor) -> torch.Tensor:
    """Natural logarithm of the factor on the frequencies of each band: [B, 80].

    :param rows: bool [B], which of them are whispered; 0 in the others
    """
    low = 1 / (1 + (band_hz(rows.device) / _RAISED_HZ) ** 4)
    return rows[:, None] * random.uniform(*_RAISED, len(rows), 1) * low


def whispered(
    random: RandomTensors, rows: torch.Tensor, *fbanks: torch.Tensor
) -> Tuple[torch.Tensor, ...]:
    """Fbanks [B, 4 T, 80], of which `rows`, bool [B], are whispered, by the same noise in all."""
    chosen = rows.nonzero()[:, 0]
    count = len(chosen)
    if not count:
        return fbanks
    device = rows.device
    loss = random.uniform(*_LOSS, count, 1)
    high = random.uniform(*_HIGH_HZ, count, 1)
    lost = (torch.log(high / band_hz(device)) / torch.log(high / _LOW_HZ)).clamp(0, 1)
    gain = loss * (random.uniform(0, _LOUDER, count, 1) - lost)
    noise = random.normal(count, fbanks[0].shape[1] // FBANK_PER_FRAME * HOP_SAMPLES)
    excitation = fbanks_of(noise)
    excitation = excitation - excitation.mean((0, 1))
    changed = []
    for fbank in fbanks:
        heard = fbank[chosen]
        noisy = heard @ _blur(device) + gain[:, None] + excitation
        copy = fbank.clone()
        copy[chosen] = torch.where(heard > _SILENCE, noisy, heard)
        changed.append(copy)
    return tuple(changed)


def breaths(random: RandomTensors, count: int, n: int) -> torch.Tensor:
    """Breathing in and out, of unit level: [count, n]."""
    t = torch.arange(n, device=random.device) / SAMPLE_RATE_HZ
    phase = _TURN * (random.uniform(*_BREATHS_HZ, count, 1) * t + random.uniform(0, 1, count, 1))
    offset = random.uniform(*_DUTY, count, 1)
    swings = (torch.sin(phase) + offset, -torch.sin(phase) + offset)
    return unit(sum(swing.clamp(min=0) * _resonant(random, count, n) for swing in swings))


def _resonant(random: RandomTensors, count: int, n: int) -> torch.Tensor:
    """Noise through a tube with random resonances: [count, n]."""
    hz = torch.arange(n // 2 + 1, device=random.device) * (SAMPLE_RATE_HZ / n)
    octaves = torch.log2(hz.clamp(min=_LOW_HZ) / _LOW_HZ)
    gain_db = -random.uniform(*_TILT_DB, count, 1) * octaves
    for _ in range(_RESONANCES):
        at = torch.exp(random.uniform(*(math.log(x) for x in _RESONANCE_HZ), count, 1))
        width = random.uniform(*_WIDTH_HZ, count, 1)
        gain_db += random.uniform(*_RESONANCE_DB, count, 1) / (1 + ((hz - at) / width) ** 2)
    spectrum = torch.view_as_complex(random.normal(count, len(hz), 2))
    return unit(torch.fft.irfft(spectrum * 10 ** (gain_db / 20), n))


@lru_cache()
def _blur(device) -> torch.Tensor:
    """What takes an Fbank to its envelope, [80, 80]."""
    hz = band_hz(device)
    weights = torch.exp(-0.5 * ((hz[:, None] - hz) / _HARMONICS_HZ) ** 2)
    return weights / weights.sum(0)
