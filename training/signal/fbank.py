"""Fbank of whole recordings, as the daemon computes it piece by piece."""

from functools import lru_cache
from typing import Tuple

import numpy as np
import torch

from edgeface.features.fbank import (
    FFT_SIZE,
    LOG_FLOOR,
    PREEMPHASIS,
    SHIFT_SAMPLES,
    WINDOW_SAMPLES,
    Fbank,
    mel_banks,
    povey_window,
)
from edgeface.model.stepper import LEAD_SAMPLES

FULL_SCALE = 32768.0  # Kaldi counts in 16-bit samples
_BLOCK = 40  # frames; the fastest


def fbank_of(samples: np.ndarray) -> np.ndarray:
    """Fbank of whole frames as the daemon computes it.

    :param samples: float32 [N] at 16 kHz
    :return: float32 [4 N / 640, 80]
    """
    fbank = Fbank(block=_BLOCK)
    frames = fbank.accept(np.concatenate((np.zeros(LEAD_SAMPLES, np.float32), samples)))
    return np.concatenate((frames, fbank.finish()))[: len(samples) // SHIFT_SAMPLES]


def fbanks_of(sound: torch.Tensor) -> torch.Tensor:
    """`fbank_of` many at once, on any device: float32 [B, N] to [B, N / 160, 80]."""
    window, banks = _kaldi(sound.device)
    padded = torch.nn.functional.pad(sound, (LEAD_SAMPLES, WINDOW_SAMPLES))
    windows = padded.unfold(1, WINDOW_SAMPLES, SHIFT_SAMPLES)
    frames = windows[:, : sound.shape[1] // SHIFT_SAMPLES] * FULL_SCALE
    frames = frames - frames.mean(-1, keepdim=True)
    before = torch.nn.functional.pad(frames[..., :-1], (1, 0))
    before[..., 0] = frames[..., 0]
    emphasised = (frames - PREEMPHASIS * before) * window
    spectrum = torch.view_as_real(torch.fft.rfft(emphasised, FFT_SIZE))
    return (spectrum.square().sum(-1) @ banks).clamp(min=float(LOG_FLOOR)).log()


@lru_cache()
def _kaldi(device) -> Tuple[torch.Tensor, torch.Tensor]:
    window = torch.from_numpy(povey_window())
    banks = torch.from_numpy(mel_banks().T.copy())
    return window.to(device), banks.to(device)
