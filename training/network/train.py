"""Command: trains the network; resumable, seeded.

Example:
    python -m training.network.train --data ../shared/data --cache ~/.cache/edgeface -o run1
"""

import argparse
import os
from pathlib import Path
from typing import Iterator, List, Tuple

import numpy as np
import torch
from torch.utils.data import DataLoader

from training.batches.batches import Batch, Batches, load
from training.batches.repeated import RepeatedBatches
from training.command import run
from training.data.correlation import lip_correlations
from training.data.grid import Clip, held_out, in_training
from training.data.store import Store
from training.data.talker import load_talker
from training.signal.fbank import fbank_of
from training.targets.animate import load_animated
from training.targets.landmark_basis import landmark_basis, point_weights
from training.targets.timbre import FLOOR

from .loss import loss_of
from .network import Network, Size
from .training_state import STEPS_PER_EPOCH, TrainingState

FRAMES = 100  # length of a training sequence
BATCH = 32
LOOKAHEADS = (0, 1, 2, 2, 2, 4)  # drawn per batch; 2 (80 ms) is the default bundle's
_GPU_BATCH = 512  # what keeps a GPU busy
_KEPT = 1024  # sequences that wait to be heard again, on the CPU
_TURNS = 4
_SAMPLE = 150  # sequences for the statistics
_PRINT_EPOCHS = 5
_VALIDATION_LOOKAHEAD = 2


def statistics(clips: List[Clip], neutral: np.ndarray, batches: Batches, basis: int) -> dict:
    """Fbank mean and deviation of augmented sound, and the linear basis of the faces."""
    drawn = batches.draw(_SAMPLE).fbank.cpu().numpy()
    fbank = np.maximum(drawn.reshape(-1, drawn.shape[-1]), FLOOR)
    return {
        "mean": fbank.mean(0),
        "std": np.full(fbank.shape[1], fbank.std()),
        "landmark_mean": neutral.reshape(-1),
        "landmark_basis": landmark_basis(clips, neutral, basis),
    }


@torch.no_grad()
def validate(network: Network, clips: List[Clip], lookahead: int) -> Tuple[float, float]:
    """Mean per-clip correlation of lip gap and mouth width on clips as they are."""
    network.eval()
    fbank = torch.from_numpy(np.stack([fbank_of(clip.samples) for clip in clips]))
    face = network(fbank.to(network.mean.device), lookahead)[0].cpu().numpy()
    face = face.reshape(len(clips), -1, 68, 3)
    network.train()
    both = [lip_correlations(one, clip.landmarks) for one, clip in zip(face, clips)]
    return float(np.mean([gap for gap, _ in both])), float(np.mean([width for _, width in both]))


def fit(state: TrainingState, batches: Iterator[Batch], held_out: List[Clip], seed: int) -> None:
    """Trains until the run's last epoch, and prints now and then how it stands.

    :param batches: what `RepeatedBatches` gives
    :param seed: of the look-aheads
    """
    weights = torch.from_numpy(np.repeat(point_weights(), 3)).to(state.network.mean.device)
    draw = np.random.default_rng(seed + state.epoch)

    def loss() -> torch.Tensor:
        batch = next(batches)
        return loss_of(state, batch, int(draw.choice(LOOKAHEADS)), weights)

    while state.epoch < state.epochs:
        mean = state.train(loss)
        if state.epoch % _PRINT_EPOCHS == 0:
            gap, width = validate(state.average, held_out, _VALIDATION_LOOKAHEAD)
            print(
                f"epoch {state.epoch}  loss {mean:.4f}  held-out gap {gap:.3f} width {width:.3f}",
                flush=True,
            )


def _endless(batches: Batches, device: str) -> Iterator[Batch]:
    if device == "cpu":  # another process makes them
        repeated = RepeatedBatches(batches, BATCH, kept=_KEPT, fresh=BATCH, turns=_TURNS)
        return iter(DataLoader(repeated, None, num_workers=1))
    kept = 4 * _GPU_BATCH
    return iter(RepeatedBatches(batches, _GPU_BATCH, kept=kept, fresh=kept, turns=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder that holds grid_s1")
    add("--cache", type=Path, required=True, help="folder of `training.data`")
    add("-o", "--out", type=Path, required=True, help="folder of this run")
    add("--epochs", type=int, default=100, help=f"of {STEPS_PER_EPOCH} steps")
    add("--rate", type=float, default=1.5e-3, help="highest learning rate")
    add(
        "--animated",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the clips that `training.targets.animate` made",
    )
    add(
        "--start-from",
        type=Path,
        nargs="+",
        default=[],
        metavar="STATE",
        help="states of other runs to go on with; of several, the mean of the weights",
    )
    add("--seed", type=int, default=1)
    add(
        "--device",
        default="cpu",
        help=f"cuda: batches are {_GPU_BATCH // BATCH} times as large there",
    )
    return parser


def main() -> None:
    """Trains from scratch or from the newest state in the run's folder."""
    options = _parser().parse_args()
    torch.manual_seed(options.seed)
    # threads that wait for each other beside busy loaders: five times slower on two cores
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    torch.backends.cuda.matmul.allow_tf32 = True
    talker, neutral = load_talker(options.data, options.cache)
    training = in_training(talker.clips)
    store = Store(options.cache)
    animated = load_animated(store) if options.animated else []
    batches = load(training, neutral, store, FRAMES, animated, options.animated, options.device)
    state = TrainingState(
        options.out,
        options.epochs,
        options.rate,
        statistics(training, neutral, batches, Size().basis),
        options.start_from,
        options.device,
    )
    batches.seed(options.seed + 1000 * state.epoch)
    fit(state, _endless(batches, options.device), held_out(talker.clips), options.seed)


if __name__ == "__main__":
    run(main)
