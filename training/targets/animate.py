"""Command: fits the phone-to-motion model on the talker, and animates all speech that has no video.

Example:
    python -m training.targets.animate --data ../shared/data --cache ~/.cache/edgeface
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import List, Optional, Tuple

import numpy as np
import soundfile
import torch
from tqdm import tqdm

from edgeface.core.errors import MissingInputError
from edgeface.core.rates import HOP_SAMPLES
from training.command import run
from training.data.grid import Clip
from training.data.manifest import TEST, TRAIN, Utterance
from training.data.store import Store
from training.data.talker import load_talker
from training.data.talker_voices import VOICES, voice_paths
from training.phonetics.timing import PhoneTimes, phone_labels, speaking

from . import phone_to_motion
from .landmark_basis import landmark_basis
from .phone_to_motion import load_model, moved
from .timbre import timbre

FILE = "animated.npz"  # in the cache
_FEWEST_FRAMES = 10
_AT_ONCE = 50  # utterances that a process takes
_TRACKS = ("landmarks", "blendshapes", "speech", "phones")


def talker_timbres(clip: Clip, phones: PhoneTimes, cache: Path) -> List[np.ndarray]:
    """Timbres of a clip, as it is and in the other voices.

    :raises MissingInputError: the cache lacks a voice
    """
    paths = voice_paths(cache, clip)
    if len(paths) < len(VOICES):
        raise MissingInputError(
            f"{clip.name} in other voices: run `python -m training.data voices` first"
        )
    voices = [clip.samples] + [soundfile.read(str(path), dtype="float32")[0] for path in paths]
    return [timbre(samples, phones) for samples in voices]


def fit(data: Path, cache: Path) -> None:
    """Fits the model on the talker's clips, prints how well it does on the others, keeps it."""
    talker, neutral = load_talker(data, cache)
    training = talker.pairs(TRAIN)
    timbres = [
        talker_timbres(clip, phones, cache)
        for clip, phones in tqdm(training, desc="timbres", disable=None)
    ]
    clips = [clip for clip, _ in training]
    model = phone_to_motion.fit(
        clips,
        [phones for _, phones in training],
        timbres,
        neutral,
        landmark_basis(clips, neutral),
    )
    gap, width = phone_to_motion.check(model, *zip(*talker.pairs(TEST)))
    print(f"from phones and their timbre, held-out clips: gap {gap:.3f} width {width:.3f}")
    torch.save(model.state_dict(), str(Path(cache, phone_to_motion.FILE)))


class _Animator:
    """Animates utterances of a cache, in a process of its own."""

    def __init__(self, cache: Path):
        torch.set_num_threads(1)  # the processes are as many as the cores
        self._model = load_model(cache)
        self._store = Store(cache)

    def __call__(self, utterance: Utterance) -> Optional[Tuple[np.ndarray, ...]]:
        """What moves, in the order of `_TRACKS`; None for what is too short."""
        samples = self._store.samples(utterance)
        count = len(samples) // HOP_SAMPLES
        if count < _FEWEST_FRAMES:
            return None
        phones = self._store.phones(utterance)
        face, shapes = moved(self._model, samples[: HOP_SAMPLES * count], phones)
        return (
            face.astype(np.float16),
            shapes.astype(np.float16),
            speaking(phones, count),
            phone_labels(phones, count),
        )


_animators: List[_Animator] = []  # of this process, at most one


def _begin(cache: Path) -> None:
    _animators.append(_Animator(cache))


def _animated(utterance: Utterance) -> Optional[Tuple[np.ndarray, ...]]:
    return _animators[0](utterance)


def animate(cache: Path) -> None:
    """Animates all speech that training hears, by the model that `fit` left, on all cores."""
    store = Store(cache)
    utterances = store.find(split=TRAIN)
    # forked ones may wait for threads of PyTorch that they do not have
    spawn = get_context("spawn")
    with ProcessPoolExecutor(None, spawn, _begin, (cache,)) as processes:
        found = processes.map(_animated, utterances, chunksize=_AT_ONCE)
        progress = tqdm(found, desc="animating", total=len(utterances), disable=None)
        made = [(one.id, tracks) for one, tracks in zip(utterances, progress) if tracks]
    names, tracks = zip(*made)
    joined = {name: np.concatenate(parts) for name, parts in zip(_TRACKS, zip(*tracks))}
    joined.update(names=np.array(names), frames=np.array([len(one[0]) for one in tracks]))
    np.savez(str(store.folder / FILE), **joined)  # type: ignore[arg-type]  # of numpy's stubs


def load_animated(store: Store) -> List[Clip]:
    """The clips that `animate` made; their sounds stay on disk.

    :raises MissingInputError: the cache has none
    """
    path = store.folder / FILE
    if not path.exists():
        raise MissingInputError(f"{path} is missing; run `python -m training.targets.animate`")
    with np.load(str(path)) as data:
        ends = np.cumsum(data["frames"])
        tracks = [np.split(data[name], ends[:-1]) for name in _TRACKS]
        names = [str(name) for name in data["names"]]
    clips = []
    for name, *motion in zip(names, *tracks):
        utterance = store.manifest[name]
        landmarks, blendshapes, speech, phones = motion
        clips.append(
            Clip(
                name,
                np.zeros(0, np.float32),
                landmarks,
                blendshapes,
                speech,
                phones,
                weight=utterance.weight,
                path=store.sound_file(utterance),
            )
        )
    return clips


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument("--cache", type=Path, required=True, help="see `training.data`")
    options = parser.parse_args()
    fit(options.data, options.cache)
    animate(options.cache)


if __name__ == "__main__":
    run(main)
