"""The values of a frame as every bridge sends them, and their names in other tools."""

from typing import List

import numpy as np

from ..motion.face import BLENDSHAPES

# Live Link Face, VMC ("PerfectSync") and Audio2Face write Apple's names this way, in Apple's order
PASCAL = tuple(name[0].upper() + name[1:] for name in BLENDSHAPES)

_FURTHEST = 4.0  # more than half a turn


def clean(blendshapes: np.ndarray) -> List[float]:
    """Values that any receiver can take: within 0..1, and 0 for what is no number.

    :param blendshapes: float32 [52]
    """
    values: List[float] = np.clip(np.nan_to_num(blendshapes), 0.0, 1.0).tolist()
    return values


def bounded(values: np.ndarray) -> np.ndarray:
    """Angles in rad, or shifts, that any receiver can take: within -4..4, 0 for what is no number.

    :param values: float32 [n]
    """
    return np.clip(np.nan_to_num(values), -_FURTHEST, _FURTHEST)
