"""All that training hears and sees, clip after clip, in the memory of the device that trains."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Callable, List, Sequence, Tuple, TypeVar

import numpy as np
import soundfile
import torch
from tqdm import tqdm

from edgeface.core.rates import HOP_SAMPLES
from training.data.grid import Clip
from training.data.manifest import TRAIN
from training.data.store import Store
from training.data.talker_voices import voice_paths
from training.phonetics.phones import PHONES
from training.phonetics.timing import SUBFRAMES
from training.signal.level import level_db

from .schedule import EDGE, Schedule

UNKNOWN = len(PHONES)  # label of a phone that nobody knows
FULL_SCALE = 32767
_READERS = 8  # files that are read at once
_COORDINATES = 204
_BLENDSHAPES = 52
_AS_HE_IS = 2  # how often the talker is there in his own voice

SoundsType = TypeVar("SoundsType", bound="Sounds")
Read = Callable[[], np.ndarray]
"""Gives a sound, float32 [N] at 16 kHz."""


class Sounds:
    """Sounds in a row: of each its `first` frame, its `frames`, its `level` in dB.

    sound: int16 [EDGE + 640 F + EDGE]; silence fills sounds up to whole frames

    :param read: gives each sound
    :param title: of the progress bar
    """

    def __init__(self, read: Sequence[Read], title: str):
        with ThreadPoolExecutor(_READERS) as readers:
            progress = tqdm(readers.map(_whole, read), desc=title, total=len(read), disable=None)
            found = list(progress)
        edge = np.zeros(EDGE, np.int16)
        pieces = [edge] + [samples for samples, _ in found] + [edge]
        self.sound = torch.from_numpy(np.concatenate(pieces))
        self.frames = torch.tensor([len(samples) // HOP_SAMPLES for samples, _ in found])
        self.first = self.frames.cumsum(0) - self.frames
        self.level = torch.tensor([level for _, level in found], dtype=torch.float32)

    def to(self: SoundsType, device: str) -> SoundsType:
        """All of it on a device of PyTorch."""
        for name, value in list(vars(self).items()):
            if isinstance(value, torch.Tensor):
                setattr(self, name, value.to(device))
        return self


def _whole(read: Read) -> Tuple[np.ndarray, float]:
    """A sound in whole frames, int16, and its level in dB."""
    samples = read()
    frames = -(-len(samples) // HOP_SAMPLES)
    samples = np.pad(samples, (0, HOP_SAMPLES * frames - len(samples)))
    whole = np.round(np.clip(samples, -1, 1) * FULL_SCALE).astype(np.int16)
    return whole, level_db(samples)


class Clips(Sounds):
    """Sounds with motion.

    landmarks: less the resting face, float16 [F, 204]
    blendshapes: float16 [F, 52]
    speech: float16 [F, 1]
    phones: uint8 [F, SUBFRAMES], `UNKNOWN` where nobody knows them
    chance: of each clip to be drawn, float32 [C], sum 1

    :param clips: what gives the sound of each, and the clip
    :param neutral: resting face [68, 3]
    :param title: of the progress bar
    """

    def __init__(self, clips: Sequence[Tuple[Read, Clip]], neutral: np.ndarray, title: str):
        super().__init__([read for read, _ in clips], title)
        frames = int(self.frames.sum())
        self.landmarks = torch.zeros(frames, _COORDINATES, dtype=torch.float16)
        self.blendshapes = torch.zeros(frames, _BLENDSHAPES, dtype=torch.float16)
        self.speech = torch.zeros(frames, 1, dtype=torch.float16)
        self.phones = torch.full((frames, SUBFRAMES), UNKNOWN, dtype=torch.uint8)
        self.chance = torch.full((len(clips),), 1 / len(clips))
        for (_, clip), first, count in zip(clips, self.first.tolist(), self.frames.tolist()):
            at = slice(first, first + count)
            face = (clip.landmarks - neutral)[:count].reshape(count, _COORDINATES)
            self.landmarks[at] = torch.from_numpy(face.astype(np.float16))
            self.blendshapes[at] = torch.from_numpy(clip.blendshapes[:count].astype(np.float16))
            self.speech[at] = torch.from_numpy(clip.speech[:count, None].astype(np.float16))
            if clip.phones is not None:
                self.phones[at] = torch.from_numpy(clip.phones[:count])

    def phone_shares(self, schedule: Schedule) -> torch.Tensor:
        """Shares of the phones [B, T, P] in a schedule, all 0 where nobody knows them."""
        labels = torch.stack((self.phones[schedule.low], self.phones[schedule.low + 1])).long()
        known = torch.nn.functional.one_hot(labels, len(PHONES) + 1)[..., :UNKNOWN]
        now, then = known.float().mean(-2)
        return now + schedule.part[..., None] * (then - now)


def talker_clips(clips: List[Clip], neutral: np.ndarray, cache: Path) -> Clips:
    """The talker as he is, twice, and in the other voices that the cache has."""
    voices: List[Tuple[Read, Clip]] = []
    for clip in clips:
        voices += _AS_HE_IS * [(clip.read, clip)]
        voices += [(partial(_read, path), clip) for path in voice_paths(cache, clip)]
    return Clips(voices, neutral, "the talker's voices")


def animated_clips(clips: List[Clip], neutral: np.ndarray, longest: int) -> Clips:
    """`targets.animate.load_animated` in memory, each as likely as its weight and duration say.

    :param longest: frames of a sequence; what is longer is never heard as a whole
    """
    found = Clips([(clip.read, clip) for clip in clips], neutral, "speech")
    chance = found.frames.clamp(max=longest) * torch.tensor([clip.weight for clip in clips])
    found.chance = chance / chance.sum()
    return found


def sounds(store: Store, kind: str) -> Sounds:
    """What is no speech: `manifest.MUSIC` or `EFFECT`.

    :raises MissingInputError: there is none
    """
    found = store.find((kind,), TRAIN)
    return Sounds([partial(store.samples, one) for one in found], kind)


def _read(path: Path) -> np.ndarray:
    return soundfile.read(str(path), dtype="float32")[0]
