"""Command: trains the network; resumable, seeded.

Example:
    python -m training.train --data ../shared/data --cache ~/.cache/edgeface -o run1
"""

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from .animate import load_animated, load_talker
from .basis import landmark_basis, point_weights
from .batches import Heard, load
from .corpus import is_held_out, lip_gap, mouth_width
from .fbank import fbank_of
from .network import FBANK_PER_FRAME, Size
from .run import STEPS_PER_EPOCH, Run, disagreement

FRAMES = 100  # length of a training sequence
BATCH = 32
_MANY = 512  # what keeps a GPU busy
LOOKAHEADS = (0, 1, 2, 2, 2, 4)  # drawn per batch; 2 (80 ms) is the default bundle's
_COVERED = 1.0  # a mean rise of the Fbank, of natural logarithms
_FLUTTER = 0.4  # see `misplaced`; far lower, lips close whenever in doubt, and flutter
_PHONES = 0.5  # weight of the phones
_IDLE = 1.0  # weight of lips that move where nobody speaks
_UNIT = 0.02  # a landmark distance that counts as error 1


def statistics(clips, neutral, batches, basis):
    """Fbank mean and deviation of augmented sound, and the linear basis of the faces."""
    # digital silence is an outlier; floor it so that it stays within a few deviations
    fbank = np.maximum(batches.draw(150)[0].cpu().numpy().reshape(-1, 80), -8.0)
    return {
        "mean": fbank.mean(0),
        "std": np.full(80, fbank.std()),
        "landmark_mean": neutral.reshape(-1),
        "landmark_basis": landmark_basis(clips, neutral, basis),
    }


def loss_of(run, batch, lookahead, weights):
    """Training loss of a batch: positions, lip distances, speeds, blendshapes, speech activity, phones."""
    fbank, clean, landmarks, blendshapes, speech, trust, phones = batch
    heard = run.network.encode(fbank, lookahead)
    face, shapes, activity = run.network.motion(heard)
    smooth = torch.nn.functional.smooth_l1_loss

    def points(a, b):
        return (smooth(a, b, reduction="none") * weights * trust[:, -a.shape[1] :, None]).mean()

    def distances(x):
        x = x.reshape(x.shape[0], x.shape[1], 68, 3)
        pairs = [(62, 66), (61, 67), (63, 65), (48, 54), (51, 57), (33, 8)]
        return torch.stack(
            [(x[:, :, a] - x[:, :, b]).square().sum(-1).add(1e-8).sqrt() for a, b in pairs], -1
        )

    a, b = face / _UNIT, landmarks / _UNIT
    gaps_a, gaps_b = distances(a), distances(b)
    loss = points(a, b) + 0.5 * points(a[:, 1:] - a[:, :-1], b[:, 1:] - b[:, :-1])
    loss = (
        loss
        + 0.3 * smooth(gaps_a, gaps_b)
        + 0.3 * smooth(gaps_a[:, 1:] - gaps_a[:, :-1], gaps_b[:, 1:] - gaps_b[:, :-1])
    )
    # the distances of the lips, judged as their users judge them: by correlation
    for k in (0, 3):
        loss = loss + 0.1 * (1 - correlation(gaps_a[..., k], gaps_b[..., k])).mean()
    loss = loss + _IDLE * restless(gaps_a, gaps_b, speech)
    # where a camera saw the lips or noise covers them, this would ask for closed lips whenever in doubt
    loss = loss + 0.2 * misplaced(
        gaps_a[..., 0], gaps_b[..., 0], speech * (trust < 1) * audible(fbank, clean)
    )
    # least at the mean; an absolute error, least at the median, teaches what mostly rests to stay there
    loss = loss + 0.5 * torch.nn.functional.binary_cross_entropy(shapes, blendshapes)
    # motion alone tells an encoder too little of what it should hear
    loss = loss + _PHONES * disagreement(run.listener(heard), phones)
    return loss + 0.1 * torch.nn.functional.binary_cross_entropy_with_logits(activity, speech)


def audible(fbank, clean):
    """1 for each face frame that noise does not cover, else 0: [B, T] of two Fbanks [B, 4 T, 80]."""
    rise = (fbank - clean).mean(-1).reshape(len(fbank), -1, FBANK_PER_FRAME).mean(-1)
    return (rise < _COVERED).float()


def misplaced(gap, truth, speech):
    """How far lips are open where those of the truth meet in speech, and shut where those stay apart.

    Closing a frame early or late is in time; where lips stay apart for two frames to either side, every frame counts.

    :param gap: predicted, [B, T], and `truth`, in units of `_UNIT`
    :param speech: weight of each frame, [B, T]
    :return: sum of both excesses over the number of frames in which lips meet, in units of `_UNIT`; a frame wrongly
        shut costs `_FLUTTER` of one wrongly open, so that lips close when that is more likely than about 0.3
    """

    def narrowest(x, reach):
        return -torch.nn.functional.max_pool1d(-x[:, None], 2 * reach + 1, stride=1, padding=reach)[
            :, 0
        ]

    # `abroad.closing` counts lips as closed below about 1.1 units, 15 % of the talker's range
    meeting, apart = (truth < 0.35) * speech, (narrowest(truth, 2) > 1.5) * speech
    opened, shut = torch.relu(narrowest(gap, 1) - 0.3), torch.relu(1.5 - gap)
    return ((opened * meeting).sum() + _FLUTTER * (shut * apart).sum()) / (meeting.sum() + 1)


def restless(distances, truth, speech):
    """How far lips move in sequences in which nobody speaks.

    The absolute error asks for what is most likely there, which is rest, and not for the mean of all that might be.

    :param distances: predicted, [B, T, k], and `truth`, in units of `_UNIT`
    :param speech: [B, T]; a sequence in which it is ever above 0 counts as no movement
    :return: mean over all, in units of `_UNIT`
    """
    silent = (speech.amax(1) == 0).float()[:, None, None]
    return (silent * (distances - truth).abs()).mean()


def correlation(a, b):
    """Pearson correlation over time of [B, T] and [B, T]; 0 where nothing moves."""
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1) + 0.1).sqrt()


@torch.no_grad()
def validate(network, clips, lookahead):
    """Mean per-clip correlation of lip gap and mouth width on clips as they are."""
    network.eval()
    fbank = torch.from_numpy(np.stack([fbank_of(clip.samples) for clip in clips]))
    face = (
        network(fbank.to(network.mean.device), lookahead)[0]
        .cpu()
        .numpy()
        .reshape(len(clips), -1, 68, 3)
    )
    truth = np.stack([clip.landmarks for clip in clips])
    network.train()
    return [
        float(np.mean([np.corrcoef(p, t)[0, 1] for p, t in zip(measure(face), measure(truth))]))
        for measure in (lip_gap, mouth_width)
    ]


def main():
    """Trains from scratch or from the newest state in the run's folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument("--cache", type=Path, required=True, help="folder that `prepare` filled")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--epochs", type=int, default=100, help=f"of {STEPS_PER_EPOCH} steps")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument(
        "--animated",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the clips that `animate` made",
    )
    parser.add_argument(
        "--start-from", type=Path, help="state of another run whose weights to go on with"
    )
    parser.add_argument(
        "--blendshapes-only",
        action="store_true",
        help="learn only which blendshapes follow from what is heard; the landmarks stay as they are",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--device", default="cpu", help=f"cuda: batches are {_MANY // BATCH} times as large there"
    )
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    # threads that wait for each other beside busy loaders: five times slower on two cores
    torch.set_num_threads(max(1, os.cpu_count() - 1))
    torch.backends.cuda.matmul.allow_tf32 = True
    clips, neutral = load_talker(arguments.data, arguments.cache)
    training = [clip for clip in clips if not is_held_out(clip.name)]
    held_out = [clip for clip in clips if is_held_out(clip.name)]
    animated = load_animated(arguments.cache) if arguments.animated else []
    made = load(
        training, neutral, arguments.cache, FRAMES, animated, arguments.animated, arguments.device
    )
    run = Run(
        arguments.out,
        arguments.epochs,
        arguments.rate,
        statistics(training, neutral, made, Size().basis),
        arguments.start_from,
        arguments.device,
        arguments.blendshapes_only,
    )
    made.seed(arguments.seed + 1000 * run.epoch)
    if arguments.device == "cpu":  # another process makes them
        batches = iter(
            DataLoader(Heard(made, BATCH, kept=1024, fresh=BATCH, turns=4), None, num_workers=1)
        )
    else:
        batches = iter(Heard(made, _MANY, kept=4 * _MANY, fresh=4 * _MANY, turns=1))
    fit(run, batches, held_out, arguments.seed)


def fit(run, batches, held_out, seed):
    """Trains until the run's last epoch, and prints now and then how it stands.

    :param run: a `run.Run`
    :param batches: iterator of what `batches.Batches.draw` gives
    :param held_out: `corpus.Clip`s
    :param seed: of the look-aheads
    """
    weights = torch.from_numpy(np.repeat(point_weights(), 3)).to(run.network.mean.device)
    draw = np.random.default_rng(seed + run.epoch)
    while run.epoch < run.epochs:
        loss = run.train(lambda: loss_of(run, next(batches), int(draw.choice(LOOKAHEADS)), weights))
        if run.epoch % 5 == 0:
            print(
                "epoch %d  loss %.4f  held-out gap %.3f width %.3f"
                % (run.epoch, loss, *validate(run.average, held_out, 2)),
                flush=True,
            )


if __name__ == "__main__":
    main()
