"""Frames as a file: the motion file, .npz, or those of other tools (`docs/contract.md`, 2)."""

from typing import Any, Callable, Dict, Iterator, Sequence

import numpy as np

from ..core.errors import UsageError
from ..core.files import output_file
from ..core.rates import FRAME_RATE_HZ, SECOND_NS
from .a2f_json import a2f_json
from .face import BLENDSHAPES, LANDMARKS
from .frame import Frame
from .livelink_csv import livelink_csv

MOTION = ".npz"
# what other tools read, as text
_TEXTS: Dict[str, Callable[[Sequence[Frame]], Iterator[str]]] = {
    ".csv": livelink_csv,
    ".a2f.json": a2f_json,
}
SUFFIXES = (MOTION, *_TEXTS)


def suffix_of(path: str) -> str:
    """The one of `SUFFIXES` that a path ends with.

    :raises UsageError: it ends otherwise
    """
    for suffix in SUFFIXES:
        if path.lower().endswith(suffix):
            return suffix
    raise UsageError(f"-o {path}: must end in one of {', '.join(SUFFIXES)}")


def save_frames(path: str, frames: Sequence[Frame], latency_ns: int) -> None:
    """Writes frames in the format that the path's suffix names; otherwise as `save_motion`.

    :raises UsageError: no format has this suffix
    """
    suffix = suffix_of(path)
    if suffix == MOTION:
        save_motion(path, frames, latency_ns)
        return
    with output_file(path, "w", encoding="ascii") as file:
        file.writelines(_TEXTS[suffix](frames))


def save_motion(path: str, frames: Sequence[Frame], latency_ns: int) -> None:
    """Writes a motion file, which appears whole or not at all.

    :param latency_ns: algorithmic latency
    :raises UnavailableError: it cannot be written
    """
    landmarks = np.array([f.landmarks for f in frames], np.float32)
    blendshapes = np.array([f.blendshapes for f in frames], np.float32)
    arrays: Dict[str, Any] = {
        "landmarks": landmarks.reshape(len(frames), LANDMARKS, 3),
        "blendshapes": blendshapes.reshape(len(frames), len(BLENDSHAPES)),
        "time_s": np.array([f.index for f in frames], np.float64) / FRAME_RATE_HZ,
        "f0_hz": np.array([f.f0_hz for f in frames], np.float32),
        "rms_dbfs": np.array([f.rms_dbfs for f in frames], np.float32),
        "flags": np.array([f.flags for f in frames], np.uint32),
        "head": np.array([f.head for f in frames], np.float32).reshape(len(frames), 6),
        "gaze": np.array([f.gaze for f in frames], np.float32).reshape(len(frames), 4),
        "fps": np.float64(FRAME_RATE_HZ),
        "latency_s": np.float64(latency_ns / SECOND_NS),
    }
    with output_file(path) as file:
        np.savez(file, **arrays)  # compressing costs a sixth of the time, and saves a fifth
