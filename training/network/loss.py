"""The training loss: what is asked of a face, and how much each part counts."""

import torch

from edgeface.features.fbank import FBANK_PER_FRAME
from training.batches.batches import Batch
from training.targets.phone_to_motion import LANDMARK_UNIT

from .training_state import TrainingState

_COVERED = 1.0  # a mean rise of the Fbank, of natural logarithms
_FLUTTER = 0.4  # see `misplaced`; far lower, lips close whenever in doubt, and flutter
# points whose distances count: inner lips three times, corners, outer lips, nose to chin
_PAIRS = ((62, 66), (61, 67), (63, 65), (48, 54), (51, 57), (33, 8))
_GAP = _PAIRS.index((62, 66))
_WIDTH = _PAIRS.index((48, 54))
# in `LANDMARK_UNIT`; see `misplaced`
_MEETS = 0.35
_APART = 1.5
_SHUT = 0.3
# weights of the parts
_SPEEDS = 0.5
_DISTANCES = 0.3
_CORRELATION = 0.1
_IDLE = 1.0  # lips that move where nobody speaks
_MISPLACED = 0.2
_BLENDSHAPES = 0.5
_PHONES = 0.5
_ACTIVITY = 0.1


def loss_of(
    state: TrainingState, batch: Batch, lookahead: int, weights: torch.Tensor
) -> torch.Tensor:
    """Loss of a batch: positions, lip distances, speeds, blendshapes, speech activity, phones.

    :param lookahead: frames
    :param weights: of the coordinates, [204]
    """
    fbank, clean, landmarks, blendshapes, speech, trust, phones = batch
    heard = state.network.encode(fbank, lookahead)
    face, shapes, activity = state.network.motion(heard)
    a = face / LANDMARK_UNIT
    b = landmarks / LANDMARK_UNIT
    gaps_a = distances(a)
    gaps_b = distances(b)
    loss = _places(a, b, weights, trust) + _SPEEDS * _places(_steps(a), _steps(b), weights, trust)
    loss = (
        loss
        + _DISTANCES * _smooth(gaps_a, gaps_b)
        + _DISTANCES * _smooth(_steps(gaps_a), _steps(gaps_b))
    )
    # the distances of the lips, judged as their users judge them: by correlation
    for k in (_GAP, _WIDTH):
        similar = correlation(gaps_a[..., k], gaps_b[..., k])
        loss = loss + _CORRELATION * (1 - similar).mean()
    loss = loss + _IDLE * restless(gaps_a, gaps_b, speech)
    # where a camera saw the lips or noise covers them, this would ask for closed lips whenever in
    # doubt
    animated = speech * (trust < 1) * audible(fbank, clean)
    loss = loss + _MISPLACED * misplaced(gaps_a[..., _GAP], gaps_b[..., _GAP], animated)
    # least at the mean; an absolute error, least at the median, teaches what mostly rests to stay
    # there
    entropy = torch.nn.functional.binary_cross_entropy(shapes, blendshapes)
    loss = loss + _BLENDSHAPES * entropy
    # motion alone tells an encoder too little of what it should hear
    loss = loss + _PHONES * phone_entropy(state.classifier(heard), phones)
    speaks = torch.nn.functional.binary_cross_entropy_with_logits(activity, speech)
    return loss + _ACTIVITY * speaks


def _smooth(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.smooth_l1_loss(a, b)


def _steps(x: torch.Tensor) -> torch.Tensor:
    """Differences from frame to frame, [B, T - 1, n]."""
    return x[:, 1:] - x[:, :-1]


def _places(
    a: torch.Tensor, b: torch.Tensor, weights: torch.Tensor, trust: torch.Tensor
) -> torch.Tensor:
    """Weighted mean error of coordinates [B, T, 204]; `trust` [B, T] or one frame longer."""
    error = torch.nn.functional.smooth_l1_loss(a, b, reduction="none")
    return (error * weights * trust[:, -a.shape[1] :, None]).mean()


def distances(face: torch.Tensor) -> torch.Tensor:
    """Distances of `_PAIRS` of points, [B, T, 204] to [B, T, pairs]."""
    x = face.reshape(face.shape[0], face.shape[1], 68, 3)
    found = [(x[:, :, a] - x[:, :, b]).square().sum(-1).add(1e-8).sqrt() for a, b in _PAIRS]
    return torch.stack(found, -1)


def audible(fbank: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """1 for each frame that noise does not cover, else 0: [B, T] of two Fbanks [B, 4 T, 80]."""
    rise = (fbank - clean).mean(-1).reshape(len(fbank), -1, FBANK_PER_FRAME).mean(-1)
    return (rise < _COVERED).float()


def misplaced(gap: torch.Tensor, truth: torch.Tensor, speech: torch.Tensor) -> torch.Tensor:
    """How far lips are open where those of the truth meet in speech, and shut where those do not.

    Closing a frame early or late is in time; where lips stay apart for two frames to either side,
    every frame counts.

    :param gap: predicted, [B, T], and `truth`, in units of `LANDMARK_UNIT`
    :param speech: weight of each frame, [B, T]
    :return: sum of both excesses over the number of frames in which lips meet, in the same units;
        a frame wrongly shut costs `_FLUTTER` of one wrongly open, so that lips close when that is
        more likely than about 0.3
    """
    # `judge.closures` counts lips as closed below about 1.1 units, 15 % of the talker's range
    meeting = (truth < _MEETS) * speech
    apart = (_narrowest(truth, 2) > _APART) * speech
    opened = torch.relu(_narrowest(gap, 1) - _SHUT)
    shut = torch.relu(_APART - gap)
    return ((opened * meeting).sum() + _FLUTTER * (shut * apart).sum()) / (meeting.sum() + 1)


def _narrowest(x: torch.Tensor, reach: int) -> torch.Tensor:
    """Least value within `reach` frames to either side, [B, T]."""
    pooled = torch.nn.functional.max_pool1d(-x[:, None], 2 * reach + 1, stride=1, padding=reach)
    return -pooled[:, 0]


def restless(distances: torch.Tensor, truth: torch.Tensor, speech: torch.Tensor) -> torch.Tensor:
    """How far lips move in sequences in which nobody speaks.

    The absolute error asks for what is most likely there, which is rest, and not for the mean of
    all that might be.

    :param distances: predicted, [B, T, k], and `truth`, in units of `LANDMARK_UNIT`
    :param speech: [B, T]; a sequence in which it is ever above 0 counts as no movement
    :return: mean over all, in the same units
    """
    silent = (speech.amax(1) == 0).float()[:, None, None]
    return (silent * (distances - truth).abs()).mean()


def correlation(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Pearson correlation over time of [B, T] and [B, T]; 0 where nothing moves."""
    a = a - a.mean(1, keepdim=True)
    b = b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1) + 0.1).sqrt()


def phone_entropy(logits: torch.Tensor, phones: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy in nats.

    :param logits: [B, T, P]
    :param phones: their shares [B, T, P], all 0 where nobody knows them
    """
    entropy = torch.log_softmax(logits.float(), -1) * phones
    return -entropy.sum() / phones.sum().clamp(min=1.0)
