"""Distances in faces of 68 landmarks, in units of the outer-eye distance."""

import numpy as np


def lip_gap(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the inner lips (62-66), [..., 68, 3] to [...]."""
    return np.linalg.norm(landmarks[..., 62, :] - landmarks[..., 66, :], axis=-1)


def mouth_width(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the corners of the mouth (48-54), [..., 68, 3] to [...]."""
    return np.linalg.norm(landmarks[..., 48, :] - landmarks[..., 54, :], axis=-1)
