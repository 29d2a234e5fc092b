"""Fbank of whole recordings."""

from functools import lru_cache

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


def fbank_of(samples):
    """Fbank of whole frames as the daemon computes it: [N] to float32 [4 N / 640, 80]."""
    fbank = Fbank(block=40)  # fastest
    frames = fbank.accept(np.concatenate((np.zeros(LEAD_SAMPLES, np.float32), samples)))
    return np.concatenate((frames, fbank.finish()))[: len(samples) // SHIFT_SAMPLES]


def fbanks_of(sound):
    """The same of many at once, on any device: float32 tensor [B, N] to [B, N / 160, 80]."""
    window, banks = _kaldi(sound.device)
    padded = torch.nn.functional.pad(sound, (LEAD_SAMPLES, WINDOW_SAMPLES))
    frames = (
        padded.unfold(1, WINDOW_SAMPLES, SHIFT_SAMPLES)[:, : sound.shape[1] // SHIFT_SAMPLES]
        * 32768.0
    )
    frames = frames - frames.mean(-1, keepdim=True)
    before = torch.nn.functional.pad(frames[..., :-1], (1, 0))
    before[..., 0] = frames[..., 0]
    spectrum = torch.view_as_real(
        torch.fft.rfft((frames - PREEMPHASIS * before) * window, FFT_SIZE)
    )
    return (spectrum.square().sum(-1) @ banks).clamp(min=float(LOG_FLOOR)).log()


@lru_cache()
def _kaldi(device):
    return torch.from_numpy(povey_window()).to(device), torch.from_numpy(mel_banks().T.copy()).to(
        device
    )
