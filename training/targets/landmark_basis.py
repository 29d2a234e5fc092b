"""The linear basis in which faces are predicted."""

from typing import List

import numpy as np

from training.data.grid import Clip

BASIS_SIZE = 32
COORDINATES = 204  # of 68 landmarks
_EVERY = 4  # of the frames one is looked at


def point_weights() -> np.ndarray:
    """Importance of each landmark, float32 [68]: the mouth first, then the jaw."""
    weights = np.full(68, 0.3, np.float32)
    weights[:17] = 1.0
    weights[48:] = 3.0
    return weights


def landmark_basis(clips: List[Clip], neutral: np.ndarray, size: int = BASIS_SIZE) -> np.ndarray:
    """Principal directions of the faces around the neutral one, weighted; float32 [size, 204].

    :param neutral: [68, 3]
    """
    faces = np.concatenate([clip.landmarks - neutral for clip in clips])
    faces = faces.reshape(-1, COORDINATES)[::_EVERY]
    weights = np.repeat(point_weights(), 3)
    _, values, rows = np.linalg.svd(faces * weights, full_matrices=False)
    deviations = values[:size, None] / np.sqrt(len(faces))
    return rows[:size] * deviations / weights
