"""The GRID talker as training data: sound, tracked motion, speech activity.

Everything is put into the frame of the contract: 16 kHz samples, 25 fps,
landmarks in units of the outer-eye distance, blendshapes in ARKit order.
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ
from edgeface.motion.face import BLENDSHAPES, EYES

_REST_BEFORE_S = 0.3  # lips leave the rest position this long before a word starts
_REST_AFTER_S = 0.4
_CLOSED = 0.02  # gap in outer-eye distances; he also breathes and waits with an open mouth, which is no rest


@dataclass
class Clip:
    """One utterance with its motion.

    samples float32 [N]; landmarks float32 [T, 68, 3]; blendshapes float32
    [T, 52]; speech float32 [T], 1 while a word is spoken; phones of
    `phones.phone_labels`, None where nobody knows them; T = N / 640.
    """

    name: str
    samples: np.ndarray
    landmarks: np.ndarray
    blendshapes: np.ndarray
    speech: np.ndarray
    phones: np.ndarray = None


def is_held_out(name):
    """Whether a clip is kept for validation: one in ten, by its name."""
    return zlib.crc32(name.encode()) % 10 == 0


def lip_gap(landmarks):
    """Distance of the inner lips (62-66), [..., 68, 3] to [...]."""
    return np.linalg.norm(landmarks[..., 62, :] - landmarks[..., 66, :], axis=-1)


def mouth_width(landmarks):
    """Distance of the mouth corners (48-54), [..., 68, 3] to [...]."""
    return np.linalg.norm(landmarks[..., 48, :] - landmarks[..., 54, :], axis=-1)


def load_grid(folder):
    """Reads `shared/data/grid_s1`.

    Every clip is shifted so that its resting face, whose lips are closed, is
    the common neutral face: what is left is motion. Eyes stay those of the
    neutral face, because blinks cannot be heard; blendshapes are relative to
    rest, so a resting face is 0.

    :return: (list of Clip, neutral face float32 [68, 3])
    """
    folder = Path(folder)
    with np.load(folder / "motion.npz") as motion:
        names = [str(name) for name in motion["names"]]
        landmarks = motion["landmarks"].astype(np.float32)
        blendshapes = motion["blendshapes"].astype(np.float32)
        shape_names = [str(name) for name in motion["blendshape_names"]]
    words = json.loads((folder / "words.json").read_text())
    time_s = np.arange(landmarks.shape[1]) / FRAME_RATE_HZ
    closed = lip_gap(landmarks) < _CLOSED
    resting = [
        closed[i]
        & (
            (time_s < words[name][0][1] - _REST_BEFORE_S)
            | (time_s > words[name][-1][0] + _REST_AFTER_S)
        )
        for i, name in enumerate(names)
    ]
    rests = np.stack(
        [
            np.median(landmarks[i][mask], axis=0) if mask.any() else np.full((68, 3), np.nan)
            for i, mask in enumerate(resting)
        ]
    )
    neutral = np.nanmedian(rests, axis=0).astype(np.float32)
    rest_shapes = np.median(np.concatenate([b[m] for b, m in zip(blendshapes, resting)]), axis=0)
    clips = []
    for i, name in enumerate(names):
        samples, rate = soundfile.read(str(folder / "audio" / f"{name}.flac"), dtype="float32")
        if rate != SAMPLE_RATE_HZ or len(samples) != HOP_SAMPLES * len(time_s):
            raise ValueError(f"{name}: not 3 s at 16 kHz")
        shift = np.nan_to_num(rests[i] - neutral)
        face = landmarks[i] - shift
        face[:, EYES] = neutral[EYES]
        clips.append(
            Clip(
                name,
                samples,
                face,
                _to_arkit(blendshapes[i] - rest_shapes, shape_names),
                _speech(words[name], len(time_s)),
            )
        )
    return clips, neutral


def _to_arkit(shapes, names):
    """Tracker's blendshapes [T, n] relative to rest, in ARKit order [T, 52], eyes at 0."""
    arkit = np.zeros((len(shapes), len(BLENDSHAPES)), np.float32)
    for target, name in enumerate(BLENDSHAPES):
        if name in names and not name.startswith("eye"):
            arkit[:, target] = np.clip(shapes[:, names.index(name)], 0.0, 1.0)
    return arkit


def _speech(words, frames):
    active = np.zeros(frames, np.float32)
    for start_s, end_s, word in words:
        if word not in ("sil", "sp"):
            active[int(start_s * FRAME_RATE_HZ) : int(np.ceil(end_s * FRAME_RATE_HZ))] = 1.0
    return active
