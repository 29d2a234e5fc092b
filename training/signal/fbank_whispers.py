"""Whispered speech, made of the Fbank of voiced speech; many at once, on any device.

A whisper has no harmonics, but noise under the same envelope; it lacks the low frequencies of the
voice, by 20 dB and more, and its lower formants are higher (Ito, Takeda and Itakura, 2005: Analysis
and recognition of whispered speech). Fricatives, which are noise above that, stay as they are.
"""

import math
from functools import lru_cache
from typing import Tuple

import torch

from edgeface.core.rates import HOP_SAMPLES
from edgeface.features.fbank import FBANK_PER_FRAME, LOG_FLOOR

from .fbank import fbanks_of
from .random_tensors import RandomTensors
from .spectra import band_hz

_SILENCE = math.log(LOG_FLOOR)  # digital; nothing is below it
_HARMONICS_HZ = 110.0  # deviation of the blur that harmonics do not outlast
_LOW_HZ = 500.0  # below it all of the voice's strength is lost
_HIGH_HZ = (2000.0, 6000.0)  # and nothing above
_LOSS = (2.5, 6.5)  # natural logarithms of power, 11 to 28 dB
_LOUDER = 0.7  # share of the loss that a microphone may make up for
_RAISED = (0.05, 0.3)  # natural logarithm of the frequencies of low formants
_RAISED_HZ = 1500.0  # up to it; half of it there


def raised_formants(random: RandomTensors, rows: torch.Tensor) -> torch.Tensor:
    """Natural logarithm of the factor on the frequencies of each band: [B, 80].

    :param rows: bool [B], which of them are whispered; 0 in the others
    """
    low = 1 / (1 + (band_hz(rows.device) / _RAISED_HZ) ** 4)
    return rows[:, None] * random.uniform(*_RAISED, len(rows), 1) * low


def whispered_fbanks(
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
        # nothing whispers in digital silence
        copy[chosen] = torch.where(heard > _SILENCE + 1, noisy.clamp(min=_SILENCE), heard)
        changed.append(copy)
    return tuple(changed)


@lru_cache()
def _blur(device) -> torch.Tensor:
    """What takes an Fbank to its envelope, [80, 80]."""
    hz = band_hz(device)
    weights = torch.exp(-0.5 * ((hz[:, None] - hz) / _HARMONICS_HZ) ** 2)
    return weights / weights.sum(0)
