"""An acoustic model of phones: which of them is spoken, frame by frame."""

from pathlib import Path
from typing import List, Optional, Tuple

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from edgeface.core.rates import SAMPLE_RATE_HZ
from edgeface.features.fbank import SHIFT_SAMPLES, WINDOW_SAMPLES
from edgeface.model.stepper import LEAD_SAMPLES
from training.signal.mixed_precision import autocast
from training.signal.spectra import warped

from .phones import PHONES, SILENCES
from .timing import PhoneTimes

STEP_S = SHIFT_SAMPLES / SAMPLE_RATE_HZ
CENTRE_S = (WINDOW_SAMPLES / 2 - LEAD_SAMPLES) / SAMPLE_RATE_HZ  # of frame 0 of the Fbank
_PRIOR = 0.6  # how much of the frequency of a phone in training is taken out of its probability
_WIDTH = 160
_DILATIONS = (1, 1, 2, 4, 8)
_CROP = 256  # frames
_BATCH = 32
_RATE = 2e-3  # highest learning rate
_SPREAD = 4.0  # natural logarithms that count as 1 in the Fbank

Labelled = Tuple[np.ndarray, np.ndarray, float]
"""Fbank [T, 80] of any length, labels [T] of `labels_of`, weight of being drawn."""


class PhoneNet(nn.Module):
    """Convolutions over Fbank, 0.34 s to each side, to log probabilities of `PHONES`."""

    log_prior: torch.Tensor

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(80, _WIDTH, 5, padding=2)
        self.layers = nn.ModuleList(
            nn.Conv1d(_WIDTH, _WIDTH, 5, padding=2 * d, dilation=d) for d in _DILATIONS
        )
        self.norms = nn.ModuleList(nn.GroupNorm(1, _WIDTH) for _ in _DILATIONS)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Conv1d(_WIDTH, len(PHONES), 1)
        self.register_buffer("log_prior", torch.zeros(len(PHONES)))

    def forward(self, fbank: torch.Tensor) -> torch.Tensor:
        """[B, T, 80] to [B, T, phones]."""
        x = self.first(normalised(fbank).transpose(1, 2))
        for layer, norm in zip(self.layers, self.norms):
            x = x + self.drop(nn.functional.gelu(layer(norm(x))))
        return torch.log_softmax(self.last(x).transpose(1, 2), -1)


def normalised(fbank: torch.Tensor) -> torch.Tensor:
    """Fbank [B, T, 80] without the talker's and the microphone's mean colour."""
    return (fbank - fbank.mean(1, keepdim=True)) / _SPREAD


def labels_of(phones: PhoneTimes, frames: int) -> np.ndarray:
    """Index into `PHONES` at every Fbank frame, int64 [frames]; gaps are silence."""
    labels = np.zeros(frames, np.int64)  # PHONES begins with silence
    for start_s, end_s, phone in phones:
        first, last = (
            max(0, int(np.ceil((edge - CENTRE_S) / STEP_S))) for edge in (start_s, end_s)
        )
        labels[first:last] = 0 if phone in SILENCES else PHONES.index(phone)
    return labels


def fit(
    utterances: List[Labelled], steps: int, seed: int = 1, model: Optional[PhoneNet] = None
) -> PhoneNet:
    """Fits a `PhoneNet`.

    :param model: one to go on with
    :return: the model, ready for `likelihoods`
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = (model or PhoneNet()).train()
    weights = np.array(
        [weight * min(len(labels), _CROP) for _, labels, weight in utterances], float
    )
    weights /= weights.sum()
    model.log_prior = _log_prior(utterances)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps + 1)
    for _ in tqdm(range(steps), desc="acoustic model", disable=None):
        chosen = rng.choice(len(utterances), _BATCH, p=weights)
        crops = [_crop(rng, *utterances[at][:2]) for at in chosen]
        with autocast():
            logs = model(torch.from_numpy(np.stack([fbank for fbank, _ in crops])))
        labels = torch.from_numpy(np.stack([labels for _, labels in crops]))
        loss = nn.functional.nll_loss(logs.float().reshape(-1, len(PHONES)), labels.reshape(-1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def _log_prior(utterances: List[Labelled]) -> torch.Tensor:
    """How frequent each phone is, float32 [phones]."""
    counts = np.zeros(len(PHONES))
    for _, labels, weight in utterances:
        counts += weight * np.bincount(labels, minlength=len(PHONES))
    return torch.from_numpy(np.log((counts + 1) / counts.sum()).astype(np.float32))


def _crop(
    rng: np.random.Generator, fbank: np.ndarray, labels: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """A part of fixed length, as another talker in another room."""
    at = int(rng.integers(max(1, len(labels) - _CROP + 1)))
    fbank = fbank[at : at + _CROP].astype(np.float32)
    labels = labels[at : at + _CROP]
    short = _CROP - len(labels)
    fbank = np.pad(fbank, ((0, short), (0, 0)), "edge")
    fbank = warped(fbank, np.exp(rng.uniform(-0.15, 0.15)))
    steady = fbank.mean() + rng.uniform(-9, 0) + np.cumsum(rng.normal(0, 0.15, 80))
    fbank = np.logaddexp(fbank, steady + rng.normal(0, 0.7, fbank.shape))
    microphone = np.cumsum(rng.normal(0, 0.1, 80))
    return (fbank + microphone).astype(np.float32), np.pad(labels, (0, short))


@torch.no_grad()
def likelihoods(model: PhoneNet, fbank: np.ndarray) -> np.ndarray:
    """Log likelihoods up to a constant, float32 [T, phones], of Fbank [T, 80]."""
    logs = model(torch.from_numpy(fbank)[None].float())[0]
    return (logs - _PRIOR * model.log_prior).numpy()


def save(model: PhoneNet, path: Path) -> None:
    """Keeps a model for `load`."""
    torch.save(model.state_dict(), str(path))


def load(path: Path) -> PhoneNet:
    """A `PhoneNet` that `save` kept, ready for `likelihoods`."""
    model = PhoneNet()
    model.load_state_dict(torch.load(str(path), weights_only=True))
    return model.eval()
