"""Command: trains the network; resumable, seeded.

Example:
    python -m edgeface.training.train --data ../shared/data --cache ~/.cache/edgeface -o run1
"""

import argparse
import copy
import os
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from .animate import load_animated
from .basis import landmark_basis, point_weights
from .corpus import is_held_out, lip_gap, load_grid, mouth_width
from .dataset import Sequences, fbank_of
from .network import FBANK_PER_FRAME, Network, Size

FRAMES = 100  # length of a training sequence
BATCH = 32
STEPS_PER_EPOCH = 25
LOOKAHEADS = (0, 1, 2, 2, 2, 4)  # drawn per batch; 2 (80 ms) is the default bundle's
_COVERED = 1.0  # a mean rise of the Fbank, of natural logarithms
_FLUTTER = 0.4  # see `misplaced`; far lower, lips close whenever in doubt, and flutter
_UNIT = 0.02  # a landmark distance that counts as error 1


def statistics(clips, neutral, sequences, basis):
    """Fbank mean and deviation of augmented sound, and the linear basis of the faces."""
    rng = np.random.default_rng(1)
    fbank = np.concatenate([sequences.sequence(rng)[0] for _ in range(150)])
    # digital silence is an outlier; floor it so that it stays within a few deviations
    fbank = np.maximum(fbank, -8.0)
    return {"mean": fbank.mean(0), "std": np.full(80, fbank.std()), "landmark_mean": neutral.reshape(-1),
            "landmark_basis": landmark_basis(clips, neutral, basis)}


def loss_of(network, batch, lookahead, weights):
    """Training loss of a batch: positions, lip distances, speeds, blendshapes, speech activity."""
    fbank, clean, landmarks, blendshapes, speech, trust = batch
    face, shapes, activity = network(fbank, lookahead)
    smooth = torch.nn.functional.smooth_l1_loss

    def points(a, b):
        return (smooth(a, b, reduction="none") * weights * trust[:, -a.shape[1]:, None]).mean()

    def distances(x):
        x = x.reshape(x.shape[0], x.shape[1], 68, 3)
        pairs = [(62, 66), (61, 67), (63, 65), (48, 54), (51, 57), (33, 8)]
        return torch.stack([(x[:, :, a] - x[:, :, b]).square().sum(-1).add(1e-8).sqrt() for a, b in pairs], -1)

    a, b = face / _UNIT, landmarks / _UNIT
    gaps_a, gaps_b = distances(a), distances(b)
    loss = points(a, b) + 0.5 * points(a[:, 1:] - a[:, :-1], b[:, 1:] - b[:, :-1])
    loss = loss + 0.3 * smooth(gaps_a, gaps_b) + 0.3 * smooth(gaps_a[:, 1:] - gaps_a[:, :-1],
                                                              gaps_b[:, 1:] - gaps_b[:, :-1])
    # the distances of the lips, judged as their users judge them: by correlation
    for k in (0, 3):
        loss = loss + 0.1 * (1 - correlation(gaps_a[..., k], gaps_b[..., k])).mean()
    # where a camera saw the lips or noise covers them, this would ask for closed lips whenever in doubt
    loss = loss + 0.2 * misplaced(gaps_a[..., 0], gaps_b[..., 0], speech * (trust < 1) * audible(fbank, clean))
    loss = loss + 2.0 * (shapes - blendshapes).abs().mean()
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
        return -torch.nn.functional.max_pool1d(-x[:, None], 2 * reach + 1, stride=1, padding=reach)[:, 0]

    # `abroad.closing` counts lips as closed below about 1.1 units, 15 % of the talker's range
    meeting, apart = (truth < 0.35) * speech, (narrowest(truth, 2) > 1.5) * speech
    opened, shut = torch.relu(narrowest(gap, 1) - 0.3), torch.relu(1.5 - gap)
    return ((opened * meeting).sum() + _FLUTTER * (shut * apart).sum()) / (meeting.sum() + 1)


def correlation(a, b):
    """Pearson correlation over time of [B, T] and [B, T]; 0 where nothing moves."""
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1) + 0.1).sqrt()


@torch.no_grad()
def validate(network, clips, lookahead):
    """Mean per-clip correlation of lip gap and mouth width on clips as they are."""
    network.eval()
    fbank = torch.from_numpy(np.stack([fbank_of(clip.samples) for clip in clips]))
    face = network(fbank, lookahead)[0].numpy().reshape(len(clips), -1, 68, 3)
    truth = np.stack([clip.landmarks for clip in clips])
    network.train()
    return [float(np.mean([np.corrcoef(p, t)[0, 1] for p, t in zip(measure(face), measure(truth))]))
            for measure in (lip_gap, mouth_width)]


def main():
    """Trains from scratch or from the newest state in the run's folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument("--cache", type=Path, required=True, help="folder that `prepare` filled")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--epochs", type=int, default=100, help="of %d steps" % STEPS_PER_EPOCH)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--animated", type=float, default=0.0, metavar="SHARE",
                        help="share of the clips that `animate` made")
    parser.add_argument("--start-from", type=Path, help="state of another run whose weights to go on with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    # threads that wait for each other beside busy loaders: five times slower on two cores
    torch.set_num_threads(max(1, os.cpu_count() - arguments.workers))
    clips, neutral = load_grid(arguments.data / "grid_s1")
    training = [clip for clip in clips if not is_held_out(clip.name)]
    held_out = [clip for clip in clips if is_held_out(clip.name)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    state_file = arguments.out / "state.pt"
    state = torch.load(state_file, weights_only=True) if state_file.exists() else None
    first_epoch = state["epoch"] if state else 0
    animated = load_animated(arguments.cache) if arguments.animated else []
    sequences = Sequences(training, neutral, arguments.cache, FRAMES, arguments.seed + 1000 * first_epoch,
                          animated, arguments.animated)
    size = Size()
    network = Network(size, None if state else statistics(training, neutral, sequences, size.basis))
    if arguments.start_from and not state:
        network.load_state_dict(torch.load(arguments.start_from, weights_only=True)["average"])
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=0.02, betas=(0.9, 0.98))
    total = arguments.epochs * STEPS_PER_EPOCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, arguments.rate, total_steps=total + 1, pct_start=0.08)
    if state:
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
    weights = torch.from_numpy(np.repeat(point_weights(), 3))
    batches = iter(DataLoader(sequences, BATCH, num_workers=arguments.workers, persistent_workers=False))
    draw = np.random.default_rng(arguments.seed + first_epoch)
    able = torch.cpu.get_capabilities()
    bfloat16 = able.get("amx_bf16", False) or able.get("avx512_bf16", False)  # faster there, slower elsewhere
    for epoch in range(first_epoch, arguments.epochs):
        losses = []
        for _ in tqdm(range(STEPS_PER_EPOCH), desc="epoch %d" % (epoch + 1), leave=False, disable=None):
            batch, lookahead = next(batches), int(draw.choice(LOOKAHEADS))
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                loss = loss_of(network, batch, lookahead, weights)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            keep = min(0.998, 1 - 1 / (1 + schedule.last_epoch / 5))
            with torch.no_grad():
                for mean, value in zip(average.parameters(), network.parameters()):
                    mean.lerp_(value, 1 - keep)
        torch.save({"epoch": epoch + 1, "size": size.as_dict(), "network": network.state_dict(),
                    "average": average.state_dict(), "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict()}, state_file.with_suffix(".part"))
        state_file.with_suffix(".part").rename(state_file)  # a run that is cut off here goes on from the last epoch
        if (epoch + 1) % 5 == 0:
            scores = validate(average, held_out, 2)
            print("epoch %d  loss %.4f  held-out gap %.3f width %.3f" % (epoch + 1, np.mean(losses), *scores),
                  flush=True)


if __name__ == "__main__":
    main()
