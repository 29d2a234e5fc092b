r"""Command: pre-trains the encoder to tell phones, of all speech whose phones are known; resumable.

Motion alone teaches an encoder slowly what to hear. Here talkers and noises are changed in the
Fbank, which costs little beside a step.

Example:
    python -m training.network.pretrain --data ../shared/data --cache ~/.cache/edgeface \
        -o phones --start-from run1/state.pt
"""

import argparse
import os
from pathlib import Path
from typing import Iterator, List, Tuple

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from edgeface.features.fbank import FBANK_PER_FRAME
from training.command import run
from training.data.grid import Clip, held_out, in_training
from training.data.store import Store
from training.data.talker import load_talker
from training.phonetics.timing import SILENCE, phone_shares
from training.signal.fbank import fbank_of
from training.signal.spectra import warped
from training.targets.animate import load_animated

from .loss import phone_entropy
from .train import BATCH, FRAMES, LOOKAHEADS
from .training_state import TrainingState

_TALKER = 4  # how often his clips are drawn
_LONGEST_PAUSE = 20  # frames of silence between clips
_BANDS = 80
_SILENCE = np.float32(-15.9)  # Fbank of digital silence
_QUIETEST = -5.0  # Fbank of pauses, at most
_LOUD = 0.8  # quantile of the frames by which the level is meant
_STEADY = 0.5  # chance of steady noise
_BABBLE = 0.3  # chance that somebody else talks
_PRINT_EPOCHS = 5
_VALIDATION_LOOKAHEAD = 2

Sequence = Tuple[np.ndarray, np.ndarray]
"""Fbank float32 [4 T, 80], shares of the phones float32 [T, P]."""


class PhoneSequences(torch.utils.data.IterableDataset):
    """Endless `Sequence`s of what people say.

    :param clips: whose phones are known
    :param frames: T, face frames of a sequence
    """

    def __init__(self, clips: List[Clip], frames: int, seed: int):
        self.frames = frames
        self.seed = seed
        self.clips = []
        for clip in tqdm(clips, desc="reading", disable=None):
            fbank = fbank_of(clip.read())[: FBANK_PER_FRAME * len(clip.phones)]
            self.clips.append((fbank.astype(np.float16), clip.phones))

    def __iter__(self) -> Iterator[Tuple[torch.Tensor, torch.Tensor]]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        while True:
            fbank, phones = self.sequence(rng)
            yield torch.from_numpy(fbank), torch.from_numpy(phones)

    def sequence(self, rng: np.random.Generator) -> Sequence:
        """Clips one after another, as somebody else says them, in noise."""
        fbank, phones = self._said(rng)
        fbank = warped(fbank, np.exp(rng.uniform(-0.17, 0.17)))
        fbank = self._with_noise(rng, fbank)
        microphone = np.cumsum(rng.normal(0, 0.1, _BANDS))
        fbank = fbank + microphone + rng.normal(0, 0.3) + rng.uniform(-5, 3.7)
        return np.maximum(fbank, _SILENCE).astype(np.float32), phones

    def _one(self, rng: np.random.Generator) -> Tuple[np.ndarray, np.ndarray]:
        return self.clips[rng.integers(len(self.clips))]

    def _said(self, rng: np.random.Generator) -> Sequence:
        frames = self.frames
        quiet = np.float32(rng.uniform(_SILENCE, _QUIETEST))
        fbank = np.full((FBANK_PER_FRAME * frames, _BANDS), quiet, np.float32)
        phones = np.repeat(SILENCE, frames, axis=0)
        at = int(rng.integers(-40, 20))
        while at < frames:
            sound, labels = self._one(rng)
            first = max(0, at)
            last = min(frames, at + len(labels))
            if last > first:
                part = sound[FBANK_PER_FRAME * (first - at) : FBANK_PER_FRAME * (last - at)]
                fbank[FBANK_PER_FRAME * first : FBANK_PER_FRAME * last] = part
                phones[first:last] = phone_shares(labels[first - at : last - at])
            at = last + int(rng.integers(0, _LONGEST_PAUSE))
        return fbank, phones

    def _with_noise(self, rng: np.random.Generator, fbank: np.ndarray) -> np.ndarray:
        loud = np.quantile(fbank.mean(1), _LOUD)
        if rng.random() < _STEADY:
            noise = loud + rng.uniform(-9, 0) + np.cumsum(rng.normal(0, 0.15, _BANDS))
            fbank = np.logaddexp(fbank, noise + rng.normal(0, 0.7, fbank.shape))
        if rng.random() < _BABBLE:
            other = np.resize(self._one(rng)[0].astype(np.float32), fbank.shape)
            softer = rng.uniform(1.5, 6)
            other = other + loud - np.quantile(other.mean(1), _LOUD) - softer
            fbank = np.logaddexp(fbank, other)
        return fbank


@torch.no_grad()
def validate(state: TrainingState, clips: List[Clip]) -> float:
    """Share of the frames in speech whose phone is found, 80 ms ahead."""
    state.network.eval()
    hits = []
    for clip in clips:
        fbank = torch.from_numpy(fbank_of(clip.samples))[None]
        encoded = state.network.encode(fbank, _VALIDATION_LOOKAHEAD)
        found = state.classifier(encoded)[0].argmax(-1).numpy()
        assert clip.phones is not None
        spoken = clip.phones[:, 1]
        hits.append((found == spoken)[spoken > 0])
    state.network.train()
    return float(np.concatenate(hits).mean())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder that holds grid_s1")
    add("--cache", type=Path, required=True, help="folder that `training.targets.animate` filled")
    add("-o", "--out", type=Path, required=True, help="folder of this run")
    add("--start-from", type=Path, required=True, help="state of `train` to go on with")
    add("--epochs", type=int, default=60)
    add("--rate", type=float, default=2e-3, help="highest learning rate")
    add("--seed", type=int, default=1)
    return parser


def main() -> None:
    """Goes on from a state of `train`, or with the run in its folder."""
    options = _parser().parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    known, _ = load_talker(options.data, options.cache)
    talker = [clip for clip in known.clips if clip.phones is not None]
    state = TrainingState(options.out, options.epochs, options.rate, start=[options.start_from])
    animated = load_animated(Store(options.cache))
    heard = _TALKER * in_training(talker) + animated
    sequences = PhoneSequences(heard, FRAMES, options.seed + 1000 * state.epoch)
    batches = iter(DataLoader(sequences, BATCH, num_workers=1))
    draw = np.random.default_rng(options.seed + state.epoch)

    def loss() -> torch.Tensor:
        fbank, phones = next(batches)
        encoded = state.network.encode(fbank, int(draw.choice(LOOKAHEADS)))
        return phone_entropy(state.classifier(encoded), phones)

    while state.epoch < state.epochs:
        mean = state.train(loss)
        if state.epoch % _PRINT_EPOCHS == 0:
            found = validate(state, held_out(talker))
            print(
                f"epoch {state.epoch}  loss {mean:.4f}  held-out phones found {found:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    run(main)
