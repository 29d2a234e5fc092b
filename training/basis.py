"""The linear basis in which faces are predicted."""

import numpy as np


def point_weights():
    """Importance of each landmark, float32 [68]: the mouth first, then the jaw."""
    weights = np.full(68, 0.3, np.float32)
    weights[:17] = 1.0
    weights[48:] = 3.0
    return weights


def landmark_basis(clips, neutral, size):
    """Principal directions of the faces around the neutral one, weighted; float32 [size, 204].

    :param clips: `corpus.Clip`s
    :param neutral: [68, 3]
    """
    faces = np.concatenate([clip.landmarks - neutral for clip in clips]).reshape(-1, 204)[::4]
    weights = np.repeat(point_weights(), 3)
    _, values, rows = np.linalg.svd(faces * weights, full_matrices=False)
    return rows[:size] * (values[:size, None] / np.sqrt(len(faces))) / weights
