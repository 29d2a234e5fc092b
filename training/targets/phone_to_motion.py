"""A model from phones and how they sound to motion, fitted on the talker."""

from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from training.data.correlation import lip_correlations
from training.data.grid import Clip
from training.phonetics.phones import FEATURES
from training.phonetics.timing import SUBFRAMES, PhoneTimes, phone_features, phone_labels

from .emphasis import emphasise
from .landmark_basis import COORDINATES, point_weights
from .lips import close_lips
from .timbre import BANDS, timbre

FILE = "motion.pt"  # in the cache
LANDMARK_UNIT = 0.02  # a landmark distance that counts as error 1
_BLENDSHAPES = 52
_WIDTH = 128
_STEPS = 1500
_BATCH = 48
_RATE = 2e-3  # highest learning rate
_JITTER_S = 0.006  # deviation of the phones' edges: known to 10 ms or so, not to be leaned on
# deviations of what is added to a timbre, for a clip and for a frame
_OFFSET = 0.2
_NOISE = 0.14


class PhoneToMotion(nn.Module):
    """Convolutions over phones and their timbre, 9 frames of context on each side.

    :param neutral: [68, 3]
    :param basis: landmark basis [b, 204] around the neutral face
    """

    neutral: torch.Tensor
    basis: torch.Tensor

    def __init__(self, neutral, basis):
        super().__init__()
        self.register_buffer("neutral", torch.as_tensor(neutral).float().reshape(COORDINATES))
        self.register_buffer("basis", torch.as_tensor(basis).float())
        inputs = SUBFRAMES * len(FEATURES) + BANDS
        self.layers = nn.Sequential(
            nn.Conv1d(inputs, _WIDTH, 7, padding=3),
            nn.GELU(),
            nn.Dropout(0.15),
            nn.Conv1d(_WIDTH, _WIDTH, 7, padding=3),
            nn.GELU(),
            nn.Dropout(0.15),
            nn.Conv1d(_WIDTH, _WIDTH, 7, padding=3),
            nn.GELU(),
            nn.Dropout(0.15),
            nn.Conv1d(_WIDTH, len(basis) + _BLENDSHAPES, 1),
        )

    def forward(self, features: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """[B, T, inputs] to landmarks [B, T, 204] and blendshapes [B, T, 52]."""
        motion = self.layers(features.transpose(1, 2)).transpose(1, 2)
        z, shapes = motion.split([len(self.basis), _BLENDSHAPES], -1)
        return z @ self.basis + self.neutral, torch.sigmoid(shapes)


def fit(
    clips: Sequence[Clip],
    phones: Sequence[PhoneTimes],
    timbres: Sequence[List[np.ndarray]],
    neutral: np.ndarray,
    basis: np.ndarray,
    seed: int = 1,
) -> PhoneToMotion:
    """Fits the model.

    :param clips: of the training, of equal length
    :param timbres: for each clip, `timbre.timbre` of it in each of its voices
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    frames = len(clips[0].landmarks)
    model = PhoneToMotion(neutral, basis)
    faces = np.stack([clip.landmarks.reshape(frames, COORDINATES) for clip in clips])
    shapes = np.stack([clip.blendshapes for clip in clips])
    weights = torch.from_numpy(np.repeat(point_weights(), 3))
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS + 1)
    for _ in tqdm(range(_STEPS), desc="phones to motion", disable=None):
        chosen = rng.integers(len(clips), size=_BATCH)
        features = np.stack(
            [_inputs(_jitter(rng, phones[at]), _blurred(rng, timbres[at])) for at in chosen]
        )
        made = model(torch.from_numpy(features))
        truth = torch.from_numpy(faces[chosen]), torch.from_numpy(shapes[chosen])
        loss = _loss(made, truth, weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def _loss(made, truth, weights: torch.Tensor) -> torch.Tensor:
    """Of (landmarks, blendshapes) against the true ones, as in `network.loss`."""
    smooth = torch.nn.functional.smooth_l1_loss
    a = made[0] / LANDMARK_UNIT
    b = truth[0] / LANDMARK_UNIT
    places = smooth(a, b, reduction="none") * weights
    speeds = smooth(a.diff(dim=1), b.diff(dim=1), reduction="none") * weights
    shapes = torch.nn.functional.binary_cross_entropy(made[1], truth[1])
    return places.mean() + 0.5 * speeds.mean() + 0.5 * shapes


def _inputs(phones: PhoneTimes, heard: np.ndarray) -> np.ndarray:
    """What the model takes, float32 [T, inputs], of phones and a `timbre.timbre` [T, BANDS]."""
    return np.concatenate((phone_features(phones, len(heard)), heard), 1)


def _blurred(rng: np.random.Generator, timbres: List[np.ndarray]) -> np.ndarray:
    """One of the voices' timbres, noisy, so that no band is leaned on: float32 [T, BANDS]."""
    heard = timbres[rng.integers(len(timbres))]
    offset = rng.normal(0, _OFFSET, (1, BANDS))
    noise = rng.normal(0, _NOISE, heard.shape)
    return (heard + offset + noise).astype(np.float32)


def _jitter(rng: np.random.Generator, phones: PhoneTimes) -> PhoneTimes:
    moves = rng.normal(0, _JITTER_S, len(phones) + 1)
    return [
        (start + moves[at], end + moves[at + 1], phone)
        for at, (start, end, phone) in enumerate(phones)
    ]


@torch.no_grad()
def as_talker(
    model: PhoneToMotion, heard: np.ndarray, phones: PhoneTimes
) -> Tuple[np.ndarray, np.ndarray]:
    """How the talker moves for phones: landmarks [T, 68, 3], blendshapes [T, 52]."""
    face, shapes = model(torch.from_numpy(_inputs(phones, heard))[None])
    return face[0].numpy().reshape(-1, 68, 3), shapes[0].numpy()


def moved(
    model: PhoneToMotion, samples: np.ndarray, phones: PhoneTimes
) -> Tuple[np.ndarray, np.ndarray]:
    """How somebody who speaks freely moves: landmarks [T, 68, 3], blendshapes [T, 52].

    :param samples: float32 [640 T], 16 kHz
    """
    heard = timbre(samples, phones)
    neutral = model.neutral.numpy().reshape(68, 3)
    labels = phone_labels(phones, len(heard))
    face, shapes = emphasise(*as_talker(model, heard, phones), heard, labels, neutral)
    return close_lips(face, phones), shapes


def check(
    model: PhoneToMotion, clips: Sequence[Clip], phones: Sequence[PhoneTimes]
) -> Tuple[float, float]:
    """Mean per-clip correlations of lip gap and mouth width, from phones and timbre alone."""
    found = []
    for clip, said in zip(clips, phones):
        face = close_lips(as_talker(model, timbre(clip.samples, said), said)[0], said)
        found.append(lip_correlations(face, clip.landmarks))
    gap, width = np.mean(found, axis=0)
    return float(gap), float(width)


def load_model(cache: Path) -> PhoneToMotion:
    """The model that `targets.animate` fitted."""
    state = torch.load(str(Path(cache, FILE)), weights_only=True)
    model = PhoneToMotion(state["neutral"], state["basis"])
    model.load_state_dict(state)
    return model.eval()
