"""An acoustic model of phones, and forced alignment with it, in any language that espeak-ng can spell."""

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from edgeface.core.rates import SAMPLE_RATE_HZ
from edgeface.features.fbank import SHIFT_SAMPLES, WINDOW_SAMPLES
from edgeface.model.stepper import LEAD_SAMPLES

from .phones import PHONES, SILENCES, phone_of_ipa
from .spectra import warped

STEP_S = SHIFT_SAMPLES / SAMPLE_RATE_HZ
CENTRE_S = (WINDOW_SAMPLES / 2 - LEAD_SAMPLES) / SAMPLE_RATE_HZ  # of frame 0 of `fbank.fbank_of`
_SHORTEST = 2  # frames of a phone
_PRIOR = 0.6  # how much of the frequency of a phone in training is taken out of its probability
_WIDTH = 160
_DILATIONS = (1, 1, 2, 4, 8)
_CROP, _BATCH = 256, 32


class PhoneNet(nn.Module):
    """Convolutions over Fbank, 0.34 s to each side, to log probabilities of `PHONES`."""

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

    def forward(self, fbank):
        """[B, T, 80] to [B, T, phones]."""
        x = self.first(normalised(fbank).transpose(1, 2))
        for layer, norm in zip(self.layers, self.norms):
            x = x + self.drop(nn.functional.gelu(layer(norm(x))))
        return torch.log_softmax(self.last(x).transpose(1, 2), -1)


def normalised(fbank):
    """Fbank [B, T, 80] without the talker's and the microphone's mean colour."""
    return (fbank - fbank.mean(1, keepdim=True)) / 4.0


def labels_of(phones, frames):
    """Index into `PHONES` at every Fbank frame, int64 [frames]; gaps are silence."""
    labels = np.zeros(frames, np.int64)  # PHONES begins with silence
    for start_s, end_s, phone in phones:
        first, last = (
            max(0, int(np.ceil((edge - CENTRE_S) / STEP_S))) for edge in (start_s, end_s)
        )
        labels[first:last] = 0 if phone in SILENCES else PHONES.index(phone)
    return labels


def fit(utterances, steps, seed=1, model=None):
    """Fits a `PhoneNet`.

    :param utterances: list of (Fbank [T, 80] of any length, labels [T] of `labels_of`, weight of being drawn)
    :param model: one to go on with
    :return: the model, ready for `likelihoods`
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = (model or PhoneNet()).train()
    weights = np.array(
        [weight * min(len(labels), _CROP) for _, labels, weight in utterances], float
    )
    counts = sum(
        weight * np.bincount(labels, minlength=len(PHONES)) for _, labels, weight in utterances
    )
    model.log_prior = torch.from_numpy(np.log((counts + 1) / counts.sum()).astype(np.float32))
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps + 1)
    for _ in tqdm(range(steps), desc="phones", disable=None):
        chosen = rng.choice(len(utterances), _BATCH, p=weights / weights.sum())
        fbank, labels = zip(*[_crop(rng, *utterances[i][:2]) for i in chosen])
        logs = model(torch.from_numpy(np.stack(fbank)))
        loss = nn.functional.nll_loss(
            logs.reshape(-1, len(PHONES)), torch.from_numpy(np.stack(labels)).reshape(-1)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def _crop(rng, fbank, labels):
    """A part of fixed length, as another talker in another room."""
    at = int(rng.integers(max(1, len(labels) - _CROP + 1)))
    fbank, labels = fbank[at : at + _CROP].astype(np.float32), labels[at : at + _CROP]
    short = _CROP - len(labels)
    fbank = np.pad(fbank, ((0, short), (0, 0)), "edge")
    fbank = warped(fbank, np.exp(rng.uniform(-0.15, 0.15)))
    # noise that stands still, and a microphone's colour
    noise = fbank.mean() + rng.uniform(-9, 0) + np.cumsum(rng.normal(0, 0.15, 80))
    fbank = np.logaddexp(fbank, noise + rng.normal(0, 0.7, fbank.shape)) + np.cumsum(
        rng.normal(0, 0.1, 80)
    )
    return fbank.astype(np.float32), np.pad(labels, (0, short))


@torch.no_grad()
def likelihoods(model, fbank):
    """Log likelihoods up to a constant, float32 [T, phones], of Fbank [T, 80]."""
    logs = model(torch.from_numpy(fbank)[None].float())[0]
    return (logs - _PRIOR * model.log_prior).numpy()


def spelling(said):
    """What must be heard: list of (phone, whether it may be left out), of `languages.Speaker.say`.

    :raises ValueError: a phone that we have no shape for
    """
    found = [("sil", True)]
    for start_s, end_s, name in said:
        phone = phone_of_ipa(name)
        if phone != "sil" and end_s > start_s:
            found.append((phone, False))
        elif phone == "sil" and name == "" and found[-1][0] != "sil" and end_s == start_s:
            found.append(("sil", True))
    return found if found[-1][0] == "sil" else found + [("sil", True)]


def align(logs, wanted):
    """Most likely times of phones by the Viterbi algorithm; every phone lasts 20 ms or more.

    :param logs: of `likelihoods`, [T, phones]
    :param wanted: of `spelling`
    :return: (list of (start_s, end_s, phone), mean of the log likelihoods in speech over the best possible);
        None where the sound is too short
    """
    states = [(i, last) for i in range(len(wanted)) for last in [False] * (_SHORTEST - 1) + [True]]
    columns = np.array([PHONES.index(wanted[i][0]) for i, _ in states])
    emitted = logs[:, columns]
    may_stay = np.array([last for _, last in states])
    # what may come before a phone's first state: the phone before, or the one before a pause that is left out
    skip = np.full(len(states), -1)
    for s, (i, _) in enumerate(states):
        if s % _SHORTEST == 0 and i >= 2 and wanted[i - 1][1]:
            skip[s] = s - _SHORTEST - 1
    score = np.full(len(states), -np.inf)
    score[0] = emitted[0, 0]
    if wanted[0][1]:
        score[_SHORTEST] = emitted[0, _SHORTEST]
    came = np.zeros((len(logs), len(states)), np.int32)
    own = np.arange(len(states))
    for t in range(1, len(logs)):
        options = np.stack(
            [
                np.where(may_stay, score, -np.inf),
                np.append(-np.inf, score[:-1]),
                np.where(skip >= 0, score[skip], -np.inf),
            ]
        )
        best = options.argmax(0)
        came[t] = np.choose(best, (own, own - 1, skip))
        score = options[best, own] + emitted[t]
    ends = [len(states) - 1] + ([len(states) - 1 - _SHORTEST] if wanted[-1][1] else [])
    state = max(ends, key=lambda s: score[s])
    if not np.isfinite(score[state]):
        return None
    path = np.empty(len(logs), int)
    for t in range(len(logs) - 1, -1, -1):
        path[t] = state
        state = came[t, state]
    at = np.array([states[s][0] for s in path])
    spoken = columns[path] != 0
    fit_of = (logs[np.arange(len(logs)), columns[path]] - logs.max(1))[spoken].mean()
    edges = np.flatnonzero(np.diff(at)) + 1
    firsts, lasts = np.append(0, edges), np.append(edges, len(at))
    time = [max(0.0, float(t * STEP_S + CENTRE_S - STEP_S / 2)) for t in range(len(at) + 1)]
    return [(time[a], time[b], wanted[at[a]][0]) for a, b in zip(firsts, lasts)], float(fit_of)
