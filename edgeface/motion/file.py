"""The motion file: frames as .npz (`docs/contract.md`, section 2)."""

from typing import Any, Dict, Sequence

import numpy as np

from ..core.files import output_file
from ..core.rates import FRAME_RATE_HZ, SECOND_NS
from .face import BLENDSHAPES, LANDMARKS
from .frame import Frame


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
        "fps": np.float64(FRAME_RATE_HZ),
        "latency_s": np.float64(latency_ns / SECOND_NS),
    }
    with output_file(path) as file:
        np.savez_compressed(file, **arrays)
