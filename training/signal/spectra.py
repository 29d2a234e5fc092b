"""Other vocal tracts, rooms and microphones, for many sounds or their Fbank, on any device."""

import math
from functools import lru_cache
from typing import Tuple

import numpy as np
import torch

from edgeface.core.rates import SAMPLE_RATE_HZ

from .level import decibels
from .random_tensors import RandomTensors

_REVERBERATION_S = 0.5  # at most
_SILENT = 6.9  # natural logarithms of 60 dB, by which echoes fade in that time
_KNOTS_HZ = (0.0, 150, 400, 1000, 2500, 5000, 8000)  # of a microphone's response
_KNOT_DB = 4  # deviation there
_LOWEST_HZ = 20.0  # of the Fbank's bands
_BANDS = 80


def warp_mels(fbank: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Fbank of vocal tracts that are shorter by `factor`: frequencies move up by it.

    After Jaitly and Hinton, 2013: Vocal Tract Length Perturbation (VTLP) improves speech
    recognition.

    :param fbank: [B, T, 80]
    :param factor: [B, 80] or [B, 1]; of each band or of all
    :return: [B, T, 80]
    """
    low, step = _mel_steps()
    hz = band_hz(fbank.device)
    source = (1127.0 * torch.log(1.0 + hz / factor / 700.0) - low) / step - 1
    source = source.clamp(0, _BANDS - 1)
    lower = source.long().clamp(max=_BANDS - 2)
    part = (source - lower)[:, None]
    at = lower[:, None].expand(fbank.shape)
    return fbank.gather(2, at) * (1 - part) + fbank.gather(2, at + 1) * part


def band_hz(device) -> torch.Tensor:
    """Middle frequencies of the Fbank's bands in Hz, [80]."""
    low, step = _mel_steps()
    mels = low + step * torch.arange(1, _BANDS + 1, device=device)
    return 700.0 * torch.expm1(mels / 1127.0)


def _mel_steps() -> Tuple[float, float]:
    """Where the bands begin, and from one to the next, in mel."""
    low, high = (1127.0 * math.log(1.0 + hz / 700.0) for hz in (_LOWEST_HZ, SAMPLE_RATE_HZ / 2))
    return low, (high - low) / (_BANDS + 1)


def warped(fbank: np.ndarray, factor: float) -> np.ndarray:
    """`warp_mels` of one array of NumPy, float32 [T, 80], by a number."""
    factors = torch.tensor([[factor]], dtype=torch.float32)
    return warp_mels(torch.from_numpy(fbank)[None], factors)[0].numpy()


def in_room(
    random: RandomTensors, sound: torch.Tensor, room: torch.Tensor, microphone: torch.Tensor
) -> torch.Tensor:
    """Sound with echoes, or through another microphone.

    :param sound: [B, N]
    :param room: bool [B], where early reflections and a decaying tail follow; the direct sound is
        first and undelayed
    :param microphone: bool [B], where the frequency response is random and smooth, sometimes that
        of a telephone
    :return: [B, N]
    """
    samples = sound.shape[1]
    echoes = _echoes(random, room)
    size = samples + echoes.shape[1]
    gain_db = _microphone_db(random, len(sound), size, sound.device)
    gain = torch.where(microphone[:, None], decibels(gain_db), 1.0)
    spectrum = torch.fft.rfft(sound, size) * torch.fft.rfft(echoes, size) * gain
    return torch.fft.irfft(spectrum, size)[:, :samples]


def _echoes(random: RandomTensors, room: torch.Tensor) -> torch.Tensor:
    """Impulse responses [B, n], which begin with 1; nothing follows where there is no `room`."""
    count = len(room)
    longest = int(_REVERBERATION_S * SAMPLE_RATE_HZ)
    decay = random.uniform(0.08, _REVERBERATION_S, count, 1) * SAMPLE_RATE_HZ
    t = torch.arange(longest, device=room.device)
    response = random.normal(count, longest) * torch.exp(-_SILENT * t / decay) * (t < decay)
    response *= (
        random.uniform(0.05, 0.35, count, 1)
        * room[:, None]
        / response.square().sum(-1, keepdim=True).sqrt()
    )
    response[:, 0] = 1.0
    return response


def _microphone_db(random: RandomTensors, count: int, size: int, device) -> torch.Tensor:
    """Random frequency responses in dB, [count, size / 2 + 1]."""
    hz, knots = _response(size, device)
    gain_db = _KNOT_DB * random.normal(count, len(knots)) @ knots
    high = random.uniform(3300, 4000, count, 1)
    low = random.uniform(100, 300, count, 1)
    gain_db -= random.maybe(0.3, count, 1) * 60.0 * ((hz - high) / 300.0).clamp(0, 1)
    gain_db -= random.maybe(0.15, count, 1) * 30.0 * ((low - hz) / 100.0).clamp(0, 1)
    return gain_db


@lru_cache()
def _response(size: int, device) -> Tuple[torch.Tensor, torch.Tensor]:
    """Frequencies of an FFT of `size` in Hz, and at each the shares of `_KNOTS_HZ`."""
    hz = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE_HZ).astype(np.float32)
    knots = np.stack([np.interp(hz, _KNOTS_HZ, row) for row in np.eye(len(_KNOTS_HZ))])
    return torch.from_numpy(hz).to(device), torch.from_numpy(knots.astype(np.float32)).to(device)
