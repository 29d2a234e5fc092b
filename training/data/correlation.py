"""Correlations of lips: what users of a face see of its accuracy."""

from typing import Tuple

import numpy as np

from edgeface.motion.face import lip_gap, mouth_width


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation of [T] and [T]."""
    return float(np.corrcoef(a, b)[0, 1])


def lip_correlations(face: np.ndarray, truth: np.ndarray) -> Tuple[float, float]:
    """Correlations of lip gap and of mouth width, of landmarks [T, 68, 3]."""
    gap = correlation(lip_gap(face), lip_gap(truth))
    return gap, correlation(mouth_width(face), mouth_width(truth))
