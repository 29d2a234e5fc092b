r"""Command: pre-trains the encoder to tell phones, of all speech whose phones are known; resumable, seeded.

Motion alone teaches an encoder slowly what to hear. Here talkers and noises are changed in
the Fbank, which costs little beside a step.

Example:
    python -m training.listen --data ../shared/data --cache ~/.cache/edgeface \
        -o heard --start-from run1/state.pt
"""

import argparse
import os
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from .animate import load_animated, load_talker
from .corpus import is_held_out
from .fbank import fbank_of
from .network import FBANK_PER_FRAME
from .phones import SILENCE, shares
from .run import Run, disagreement
from .spectra import warped
from .train import BATCH, FRAMES, LOOKAHEADS

_TALKER = 4  # how often his clips are drawn
_GAP = 20  # frames of silence at most between clips


class Utterances(torch.utils.data.IterableDataset):
    """Endless sequences of what people say: Fbank float32 [4 T, 80], shares of the phones float32 [T, P].

    :param clips: `corpus.Clip`s whose phones are known
    :param frames: T, face frames of a sequence
    """

    def __init__(self, clips, frames, seed):
        self.clips, self.frames, self.seed = [], frames, seed
        for clip in tqdm(clips, desc="reading", disable=None):
            samples = clip.samples
            if isinstance(samples, Path):
                samples = soundfile.read(str(samples), dtype="float32")[0]
            frames = len(clip.phones)
            self.clips.append(
                (fbank_of(samples)[: FBANK_PER_FRAME * frames].astype(np.float16), clip.phones)
            )

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        while True:
            yield tuple(torch.from_numpy(part) for part in self.sequence(rng))

    def _one(self, rng):
        return self.clips[rng.integers(len(self.clips))]

    def sequence(self, rng):
        """Clips one after another, as somebody else says them, in noise: see the class; by the generator `rng`."""
        frames = self.frames
        n = FBANK_PER_FRAME * frames
        quiet = np.float32(rng.uniform(-15.9, -5.0))
        fbank, phones = np.full((n, 80), quiet, np.float32), np.repeat(SILENCE, frames, axis=0)
        at = int(rng.integers(-40, 20))
        while at < frames:
            sound, labels = self._one(rng)
            first, last = max(0, at), min(frames, at + len(labels))
            if last > first:
                fbank[4 * first : 4 * last] = sound[4 * (first - at) : 4 * (last - at)]
                phones[first:last] = shares(labels[first - at : last - at])
            at = last + int(rng.integers(0, _GAP))
        fbank = warped(fbank, np.exp(rng.uniform(-0.17, 0.17)))
        loud = np.quantile(fbank.mean(1), 0.8)
        if rng.random() < 0.5:  # noise that stands still
            noise = loud + rng.uniform(-9, 0) + np.cumsum(rng.normal(0, 0.15, 80))
            fbank = np.logaddexp(fbank, noise + rng.normal(0, 0.7, fbank.shape))
        if rng.random() < 0.3:  # somebody else talks
            other = np.resize(self._one(rng)[0].astype(np.float32), fbank.shape)
            fbank = np.logaddexp(
                fbank, other + loud - np.quantile(other.mean(1), 0.8) - rng.uniform(1.5, 6)
            )
        # a microphone's colour, and its gain
        fbank = (
            fbank + np.cumsum(rng.normal(0, 0.1, 80)) + rng.normal(0, 0.3) + rng.uniform(-5, 3.7)
        )
        return np.maximum(fbank, -15.9).astype(np.float32), phones


@torch.no_grad()
def validate(run, clips):
    """Share of the frames in speech whose phone is found, 80 ms ahead."""
    run.network.eval()
    hits = []
    for clip in clips:
        fbank = torch.from_numpy(fbank_of(clip.samples))[None]
        found = run.listener(run.network.encode(fbank, 2))[0].argmax(-1).numpy()
        spoken = clip.phones[:, 1]
        hits.append((found == spoken)[spoken > 0])
    run.network.train()
    return float(np.concatenate(hits).mean())


def main():
    """Goes on from a state of `train`, or with the run in its folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument("--cache", type=Path, required=True, help="folder that `animate` filled")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of this run")
    parser.add_argument(
        "--start-from",
        type=Path,
        required=True,
        help="state of `train` whose weights to go on with",
    )
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(max(1, os.cpu_count() - 1))
    talker = [
        clip for clip in load_talker(arguments.data, arguments.cache)[0] if clip.phones is not None
    ]
    heard = [clip for clip in talker if not is_held_out(clip.name)]
    run = Run(arguments.out, arguments.epochs, arguments.rate, start=arguments.start_from)
    utterances = Utterances(
        _TALKER * heard + load_animated(arguments.cache), FRAMES, arguments.seed + 1000 * run.epoch
    )
    batches = iter(DataLoader(utterances, BATCH, num_workers=1))
    draw = np.random.default_rng(arguments.seed + run.epoch)

    def loss():
        fbank, phones = next(batches)
        return disagreement(
            run.listener(run.network.encode(fbank, int(draw.choice(LOOKAHEADS)))), phones
        )

    while run.epoch < run.epochs:
        mean = run.train(loss)
        if run.epoch % 5 == 0:
            print(
                f"epoch {run.epoch}  loss {mean:.4f}  held-out phones found {validate(run, [clip for clip in talker if is_held_out(clip.name)]):.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
