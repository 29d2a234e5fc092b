"""Distances in faces of 68 landmarks, in units of the outer-eye distance."""

from typing import Tuple

import numpy as np


def lip_gap(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the inner lips (62-66), [..., 68, 3] to [...]."""
    return np.linalg.norm(landmarks[..., 62, :] - landmarks[..., 66, :], axis=-1)


def mouth_width(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the corners of the mouth (48-54), [..., 68, 3] to [...]."""
    return np.linalg.norm(landmarks[..., 48, :] - landmarks[..., 54, :], axis=-1)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation of [T] and [T]."""
    return float(np.corrcoef(a, b)[0, 1])


def lip_correlations(face: np.ndarray, truth: np.ndarray) -> Tuple[float, float]:
    """Correlations of lip gap and of mouth width, of landmarks [T, 68, 3]."""
    gap = correlation(lip_gap(face), lip_gap(truth))
    return gap, correlation(mouth_width(face), mouth_width(truth))
