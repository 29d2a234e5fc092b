"""Coloured noise, hum and chords, one at a time with NumPy or many with PyTorch; breath."""

import math
from typing import Any

import numpy as np
import torch

from edgeface.core.rates import SAMPLE_RATE_HZ

from .random_tensors import RandomTensors

_FLAT_SHARE = 1 / 400  # of the samples: the bins of the spectrum below it are as strong as it
# of a hum
_TONES = 4  # at most
_PARTIALS = 11  # of a tone, at most
_TONE_HZ = (50, 800)
_HIGHEST_HZ = 7500  # of a partial
_ROLL_OFF = (0.3, 2)  # exponents by which partials become weaker
_NOTES = 0.6  # share of the tones that are plucked again and again
_PERIOD_S = (0.15, 0.8)  # of the notes
_DECAY = (0, 5)  # natural logarithms in a period
_STRENGTH = (0.2, 1)
_TURN = 6.3  # radians
# of breath
_BREATHS_HZ = (0.15, 0.7)  # in and out
_DUTY = (-0.3, 0.5)  # offset on a sine, the rest of which is silence
_RESONANCES = 4
_RESONANCE_HZ = (250, 5000)
_WIDTH_HZ = (80, 600)
_RESONANCE_DB = (4, 20)
_TILT_DB = (0, 9)  # per octave
_FLAT_HZ = 500.0  # below it there is no tilt


def unit(sounds: torch.Tensor) -> torch.Tensor:
    """Sounds [B, N] with a deviation of 1 in each row."""
    return sounds / (sounds.std(-1, keepdim=True) + 1e-9)


def colour_gain(bins: Any, samples: int, slope: Any) -> Any:
    """Factor on the amplitude of each bin of a spectrum whose power falls with frequency.

    :param bins: numbers of the bins, NumPy array or tensor
    :param samples: length of the sound
    :param slope: the exponent, a number or a tensor that broadcasts; 0 is white, 1 pink, 2 brown
    """
    return bins.clip(min=samples * _FLAT_SHARE) ** (-slope / 2)


def coloured_noise(rng: np.random.Generator, n: int, slope: float) -> np.ndarray:
    """Noise float32 [n] of unit level whose power falls with frequency to the power `slope`."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum *= colour_gain(np.arange(len(spectrum)), n, slope)
    noise = np.fft.irfft(spectrum, n)
    return (noise / (noise.std() + 1e-9)).astype(np.float32)


def coloured_noises(random: RandomTensors, n: int, slopes: torch.Tensor) -> torch.Tensor:
    """`coloured_noise` of many `slopes` [B] at once: [B, n]."""
    bins = torch.arange(n // 2 + 1, device=slopes.device)
    spectrum = torch.view_as_complex(random.normal(len(slopes), n // 2 + 1, 2))
    return unit(torch.fft.irfft(spectrum * colour_gain(bins, n, slopes[:, None]), n))


def hum(rng: np.random.Generator, n: int) -> np.ndarray:
    """Mains hum, fans or held chords: steady or plucked harmonics, float32 [n] of unit level."""
    t = np.arange(n) / SAMPLE_RATE_HZ
    out = np.zeros(n)
    for _ in range(rng.integers(1, _TONES + 1)):
        hz = np.exp(rng.uniform(*np.log(_TONE_HZ)))
        partials = rng.integers(1, _PARTIALS + 1)
        tone = sum(
            np.sin(2 * np.pi * hz * k * t + rng.uniform(0, _TURN)) / k ** rng.uniform(*_ROLL_OFF)
            for k in range(1, partials + 1)
            if hz * k < _HIGHEST_HZ
        )
        if rng.random() < _NOTES:
            period_s = rng.uniform(*_PERIOD_S)
            phase = (t / period_s + rng.random()) % 1.0
            tone = tone * np.exp(-rng.uniform(*_DECAY) * phase)
        out = out + tone * rng.uniform(*_STRENGTH)
    return (out / (out.std() + 1e-9)).astype(np.float32)


def hums(random: RandomTensors, count: int, n: int) -> torch.Tensor:
    """`hum`, many at once: [count, n]; the partials of a tone become weaker by one exponent."""
    t = torch.arange(n, device=random.device) / SAMPLE_RATE_HZ
    out = torch.zeros(count, n, device=random.device)
    tones = 1 + random.below(_TONES, count)
    for tone in range(_TONES):
        _add_tone(random, out, (tone < tones).nonzero()[:, 0], t)
    return unit(out)


def _add_tone(random: RandomTensors, out: torch.Tensor, rows: torch.Tensor, t: torch.Tensor):
    """Adds one tone to each of the `rows` of `out` [B, n], at the times `t` [n] in s."""
    shape = len(rows), 1
    hz = torch.exp(random.uniform(math.log(_TONE_HZ[0]), math.log(_TONE_HZ[1]), *shape))
    partials = 1 + random.below(_PARTIALS, *shape)
    roll_off = random.uniform(*_ROLL_OFF, *shape)
    phase = (t / random.uniform(*_PERIOD_S, *shape) + random.uniform(0, 1, *shape)) % 1.0
    notes = torch.exp(-random.uniform(*_DECAY, *shape) * random.maybe(_NOTES, *shape) * phase)
    for k in range(1, _PARTIALS + 1):
        audible = (k <= partials) & (hz * k < _HIGHEST_HZ)
        strength = audible * random.uniform(*_STRENGTH, *shape) / k**roll_off
        wave = torch.sin(2 * math.pi * hz * k * t + random.uniform(0, _TURN, *shape))
        out[rows] += strength * notes * wave


def breaths(random: RandomTensors, count: int, n: int) -> torch.Tensor:
    """Breathing in and out, of unit level: [count, n].

    Of any shape, to train on; `breath` has measured ones, by which bundles are judged.
    """
    t = torch.arange(n, device=random.device) / SAMPLE_RATE_HZ
    phase = _TURN * (random.uniform(*_BREATHS_HZ, count, 1) * t + random.uniform(0, 1, count, 1))
    offset = random.uniform(*_DUTY, count, 1)
    swings = (torch.sin(phase) + offset, -torch.sin(phase) + offset)
    return unit(sum(swing.clamp(min=0) * _resonant(random, count, n) for swing in swings))


def _resonant(random: RandomTensors, count: int, n: int) -> torch.Tensor:
    """Noise through a tube with random resonances: [count, n]."""
    hz = torch.arange(n // 2 + 1, device=random.device) * (SAMPLE_RATE_HZ / n)
    octaves = torch.log2(hz.clamp(min=_FLAT_HZ) / _FLAT_HZ)
    gain_db = -random.uniform(*_TILT_DB, count, 1) * octaves
    for _ in range(_RESONANCES):
        at = torch.exp(random.uniform(*(math.log(x) for x in _RESONANCE_HZ), count, 1))
        width = random.uniform(*_WIDTH_HZ, count, 1)
        gain_db += random.uniform(*_RESONANCE_DB, count, 1) / (1 + ((hz - at) / width) ** 2)
    spectrum = torch.view_as_complex(random.normal(count, len(hz), 2))
    return unit(torch.fft.irfft(spectrum * 10 ** (gain_db / 20), n))
