"""Talker s1 of the GRID corpus: sound, tracked motion, speech activity.

Everything is in the form of the contract: 16 kHz samples, 25 fps, landmarks in units of the
outer-eye distance, blendshapes in ARKit order.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple, Union

import numpy as np
import soundfile

from edgeface.core.errors import DataError
from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ
from edgeface.motion.face import BLENDSHAPES, EYES, lip_gap

from .manifest import TEST, TRAIN, split_by_name

FOLDER = "grid_s1"  # of the data folder
_REST_BEFORE_S = 0.3  # lips leave the rest position this long before a word starts
_REST_AFTER_S = 0.4
# gap in outer-eye distances; he also breathes and waits with an open mouth, which is no rest
_CLOSED = 0.02
_SILENT_WORDS = ("sil", "sp")

Words = Dict[str, List[Tuple[float, float, str]]]
"""Of each clip, (start_s, end_s, word)."""


@dataclass
class Clip:
    """Speech with motion; T = N / 640.

    samples: float32 [N]; empty where a file is read when its sound is needed, see `read`
    landmarks: float32 [T, 68, 3]
    blendshapes: float32 [T, 52]
    speech: float32 [T], 1 while a word is spoken
    phones: of `phonetics.timing.phone_labels`, None where nobody knows them
    split: `manifest.TRAIN` or `TEST`
    weight: how often it is drawn, see `manifest.Utterance`
    path: of the sound file, where `samples` is empty
    """

    name: str
    samples: np.ndarray
    landmarks: np.ndarray
    blendshapes: np.ndarray
    speech: np.ndarray
    phones: Optional[np.ndarray] = None
    split: str = TRAIN
    weight: float = 1.0
    path: Optional[Path] = None

    def read(self) -> np.ndarray:
        """Its sound, float32 [N] at 16 kHz."""
        if self.path is None:
            return self.samples
        return soundfile.read(str(self.path), dtype="float32")[0]


def in_training(clips: List[Clip]) -> List[Clip]:
    """Those that training hears."""
    return [clip for clip in clips if clip.split == TRAIN]


def held_out(clips: List[Clip]) -> List[Clip]:
    """Those by which bundles are judged."""
    return [clip for clip in clips if clip.split == TEST]


def load_words(data: Path) -> Words:
    """Words of every clip.

    :param data: folder that holds grid_s1
    """
    return _read_words(Path(data) / FOLDER)


def _read_words(folder: Path) -> Words:
    return json.loads((folder / "words.json").read_text())


def load_grid(folder: Union[str, Path]) -> Tuple[List[Clip], np.ndarray]:
    """Reads `shared/data/grid_s1`.

    Every clip is shifted so that its resting face, whose lips are closed, is the common neutral
    face: what is left is motion. Eyes stay those of the neutral face, because blinks cannot be
    heard; blendshapes are relative to rest, so a resting face is 0.

    :return: clips, neutral face float32 [68, 3]
    """
    folder = Path(folder)
    with np.load(folder / "motion.npz") as motion:
        names = [str(name) for name in motion["names"]]
        landmarks = motion["landmarks"].astype(np.float32)
        blendshapes = motion["blendshapes"].astype(np.float32)
        shape_names = [str(name) for name in motion["blendshape_names"]]
    words = _read_words(folder)
    frames = landmarks.shape[1]
    resting = _resting(landmarks, [words[name] for name in names])
    rests = np.stack([_median(face[mask]) for face, mask in zip(landmarks, resting)])
    neutral = np.nanmedian(rests, axis=0).astype(np.float32)
    rest_shapes = np.median(np.concatenate([b[m] for b, m in zip(blendshapes, resting)]), axis=0)
    clips = []
    for at, name in enumerate(names):
        face = landmarks[at] - np.nan_to_num(rests[at] - neutral)
        face[:, EYES] = neutral[EYES]
        clips.append(
            Clip(
                name,
                _samples(folder / "audio" / f"{name}.flac", frames),
                face,
                _to_arkit(blendshapes[at] - rest_shapes, shape_names),
                _speech(words[name], frames),
                split=split_by_name(name),
            )
        )
    return clips, neutral


def _resting(landmarks: np.ndarray, words: List) -> np.ndarray:
    """Frames before and after a clip's words in which the lips are closed, bool [clips, T]."""
    time_s = np.arange(landmarks.shape[1]) / FRAME_RATE_HZ
    begins_s = np.array([[said[0][1]] for said in words])  # where the silence before them ends
    ends_s = np.array([[said[-1][0]] for said in words])
    quiet = (time_s < begins_s - _REST_BEFORE_S) | (time_s > ends_s + _REST_AFTER_S)
    return quiet & (lip_gap(landmarks) < _CLOSED)


def _median(faces: np.ndarray) -> np.ndarray:
    """Median of faces [n, 68, 3], NaN where there is none."""
    return np.median(faces, axis=0) if len(faces) else np.full((68, 3), np.nan)


def _samples(path: Path, frames: int) -> np.ndarray:
    samples, rate_hz = soundfile.read(str(path), dtype="float32")
    if rate_hz != SAMPLE_RATE_HZ or len(samples) != HOP_SAMPLES * frames:
        raise DataError(f"{path}: not {frames / FRAME_RATE_HZ:g} s at 16 kHz")
    return samples


def _to_arkit(shapes: np.ndarray, names: List[str]) -> np.ndarray:
    """Tracker's blendshapes [T, n] relative to rest, in ARKit order [T, 52], eyes at 0."""
    arkit = np.zeros((len(shapes), len(BLENDSHAPES)), np.float32)
    for target, name in enumerate(BLENDSHAPES):
        if name in names and not name.startswith("eye"):
            arkit[:, target] = np.clip(shapes[:, names.index(name)], 0.0, 1.0)
    return arkit


def _speech(words: List, frames: int) -> np.ndarray:
    active = np.zeros(frames, np.float32)
    for start_s, end_s, word in words:
        if word not in _SILENT_WORDS:
            active[int(start_s * FRAME_RATE_HZ) : int(np.ceil(end_s * FRAME_RATE_HZ))] = 1.0
    return active


def spoken_words(words: List) -> List[str]:
    """The words of a clip without its silences, spelled as a dictionary has them."""
    return ["zed" if word == "z" else word for _, _, word in words if word not in _SILENT_WORDS]
