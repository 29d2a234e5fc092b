"""The motion file: frames as .npz (contract, section 2)."""

import os

import numpy as np

from ..core.errors import UnavailableError
from ..core.rates import FRAME_RATE_HZ


def save_motion(path, frames, latency_s):
    """Writes `motion.frame.Frame`s; the file appears whole or not at all.

    :param latency_s: algorithmic latency
    :raises UnavailableError: it cannot be written
    """
    count = len(frames)
    arrays = {
        "landmarks": np.array([f.landmarks for f in frames], np.float32).reshape(count, 68, 3),
        "blendshapes": np.array([f.blendshapes for f in frames], np.float32).reshape(count, 52),
        "time_s": np.array([f.index for f in frames], np.float64) / FRAME_RATE_HZ,
        "f0_hz": np.array([f.f0_hz for f in frames], np.float32),
        "rms_dbfs": np.array([f.rms_dbfs for f in frames], np.float32),
        "flags": np.array([f.flags for f in frames], np.uint32),
        "fps": np.float64(FRAME_RATE_HZ),
        "latency_s": np.float64(latency_s),
    }
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, **arrays)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise UnavailableError(f"{path}: {error.strerror}; choose another place") from None
