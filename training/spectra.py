"""What changes many sounds at once, or their Fbank, on any device."""

import math
from functools import lru_cache

import numpy as np
import torch

from edgeface.core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ

_REVERBERATION_S = 0.5  # at most
_KNOTS_HZ = (0.0, 150, 400, 1000, 2500, 5000, 8000)  # of a microphone's response


def decibels(db):
    """Factor on amplitudes."""
    return 10 ** (db / 20)


def unit(sound):
    """Sound [B, N] with a deviation of 1 in each row."""
    return sound / (sound.std(-1, keepdim=True) + 1e-9)


def loudness(sound):
    """`augment.level_db` of each row of [B, N]: dB [B]."""
    power = sound.reshape(len(sound), -1, HOP_SAMPLES).square().mean(-1)
    loud = power >= power.median(-1, keepdim=True).values
    return 10 * torch.log10((power * loud).sum(-1) / loud.sum(-1) + 1e-12)


def warp_mels(fbank, factor):
    """Fbank [B, T, 80] as of vocal tracts that are shorter by `factor`: frequencies move up by it.

    After Jaitly and Hinton, 2013: Vocal Tract Length Perturbation (VTLP) improves speech recognition.

    :param factor: [B, 80] or [B, 1]; of each band or of all
    """
    low, high = (1127.0 * math.log(1.0 + hz / 700.0) for hz in (20.0, 8000.0))
    step = (high - low) / 81
    hz = 700.0 * torch.expm1((low + step * torch.arange(1, 81, device=fbank.device)) / 1127.0)
    source = ((1127.0 * torch.log(1.0 + hz / factor / 700.0) - low) / step - 1).clamp(0, 79)
    lower = source.long().clamp(max=78)
    part = (source - lower)[:, None]
    at = lower[:, None].expand(fbank.shape)
    return fbank.gather(2, at) * (1 - part) + fbank.gather(2, at + 1) * part


def warped(fbank, factor):
    """`warp_mels` of one array of NumPy, float32 [T, 80], by a number."""
    return warp_mels(torch.from_numpy(fbank)[None], torch.tensor([[factor]], dtype=torch.float32))[
        0
    ].numpy()


def coloured(dice, n, slope):
    """Noise [B, n] of unit level, drawn by a `dice.Dice`, whose power falls with frequency to the power `slope` [B]."""
    at = torch.arange(n // 2 + 1, device=slope.device).clamp(min=n / 400.0)
    spectrum = torch.view_as_complex(dice.normal(len(slope), n // 2 + 1, 2))
    return unit(torch.fft.irfft(spectrum * at ** (-slope[:, None] / 2), n))


def in_room(dice, sound, room, microphone):
    """Sound [B, N] with echoes, or through another microphone.

    :param dice: a `dice.Dice`
    :param room: bool [B], where early reflections and a decaying tail follow; the direct sound is first and undelayed
    :param microphone: bool [B], where the frequency response is random and smooth, sometimes that of a telephone
    """
    device, (count, n) = sound.device, sound.shape
    longest = int(_REVERBERATION_S * SAMPLE_RATE_HZ)
    decay = dice.uniform(0.08, _REVERBERATION_S, count, 1) * SAMPLE_RATE_HZ
    t = torch.arange(longest, device=device)
    response = dice.normal(count, longest) * torch.exp(-6.9 * t / decay) * (t < decay)
    response *= (
        dice.uniform(0.05, 0.35, count, 1)
        * room[:, None]
        / response.square().sum(-1, keepdim=True).sqrt()
    )
    response[:, 0] = 1.0
    size = n + longest
    hz, knots = _response(size, device)
    gain_db = 4 * dice.normal(count, len(knots)) @ knots
    high, low = dice.uniform(3300, 4000, count, 1), dice.uniform(100, 300, count, 1)
    gain_db -= dice.maybe(0.3, count, 1) * 60.0 * ((hz - high) / 300.0).clamp(0, 1)
    gain_db -= dice.maybe(0.15, count, 1) * 30.0 * ((low - hz) / 100.0).clamp(0, 1)
    gain = torch.where(microphone[:, None], decibels(gain_db), 1.0)
    return torch.fft.irfft(
        torch.fft.rfft(sound, size) * torch.fft.rfft(response, size) * gain, size
    )[:, :n]


@lru_cache()
def _response(size, device):
    """Frequencies of an FFT of `size` in Hz, and at each the shares of `_KNOTS_HZ`."""
    hz = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE_HZ).astype(np.float32)
    knots = np.stack([np.interp(hz, _KNOTS_HZ, row) for row in np.eye(len(_KNOTS_HZ))]).astype(
        np.float32
    )
    return torch.from_numpy(hz).to(device), torch.from_numpy(knots).to(device)
