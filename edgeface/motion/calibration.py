"""What an avatar needs: more or less motion, and limits per blendshape; closed lips stay closed.

Lips meet where p, b and m are spoken. Whatever is set, a face whose lips are closed is shown with
lips at most as far apart; from there to clearly open lips, the settings take hold little by little.
"""

import math
from typing import Mapping, NamedTuple, Tuple

import numpy as np

from .face import BLENDSHAPES, EYES

_JAW_OPEN = BLENDSHAPES.index("jawOpen")
_MOUTH_CLOSE = BLENDSHAPES.index("mouthClose")
# they part the lips, too: by more than 3 % of the distance of the eyes in the ICT rig
_PARTING = [
    BLENDSHAPES.index(name)
    for name in (
        "mouthFunnel",
        "mouthShrugUpper",
        "mouthLowerDownLeft",
        "mouthLowerDownRight",
        "mouthUpperUpLeft",
        "mouthUpperUpRight",
        "noseSneerLeft",
        "noseSneerRight",
    )
]
# eyes are the idle layer's: lids meet at any strength
_NO_EYES = [i for i, name in enumerate(BLENDSHAPES) if not name.startswith("eye")]

# where lips count as closed, and from where on as open: by jawOpen less mouthClose, and by the gap
# of the inner lips, which is 0.37 of that in the ICT rig
_SHAPES_CLOSED = 0.03
_SHAPES_OPEN = 0.10
_GAP_CLOSED = 0.010
_GAP_OPEN = 0.037
# points of the upper and the lower lip that meet: of their inner edges, and the outer ones beside
_UPPER_INNER = slice(61, 64)
_LOWER_INNER = slice(67, 64, -1)
_LIPS = ((_UPPER_INNER, _LOWER_INNER), (slice(50, 53), slice(58, 55, -1)))


class ShapeRange(NamedTuple):
    """What is done to one blendshape b: `gain` b + `offset`, kept within `low` and `high`."""

    gain: float = 1.0
    offset: float = 0.0
    low: float = 0.0
    high: float = 1.0


class Calibration:
    """Turns a model's face into an avatar's.

    Strength moves landmarks away from the neutral face and multiplies blendshapes; the eyes, which
    are the idle layer's, are left alone. `mouthClose` answers what is done to `jawOpen`, so that
    the mouth opens as far as `gain` says and no offset or limit holds it open.

    :param neutral: resting face, [68, 3]
    :param strength: of all motion, 0 or more; 1 leaves it as it is
    :param shapes: by name; those that are missing are left as they are
    """

    def __init__(
        self, neutral: object, strength: float = 1.0, shapes: Mapping[str, ShapeRange] = {}
    ) -> None:
        self._neutral = np.asarray(neutral, np.float32)
        self._strength = strength
        ranges = [shapes.get(name, ShapeRange()) for name in BLENDSHAPES]
        self._gain, self._offset, self._low, self._high = np.array(list(zip(*ranges)), np.float32)
        self._gain[_NO_EYES] *= strength
        self._close = ranges[_MOUTH_CLOSE]
        self._changes = strength != 1.0 or any(each != ShapeRange() for each in ranges)

    def apply(
        self, landmarks: np.ndarray, blendshapes: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """The face to be shown; the same arrays where nothing is to be changed.

        :param landmarks: float32 [68, 3]
        :param blendshapes: float32 [52], 0..1
        """
        if not self._changes:
            return landmarks, blendshapes
        gap = landmarks[_UPPER_INNER] - landmarks[_LOWER_INNER]
        opened = _opened(math.sqrt(gap[1].dot(gap[1])), _GAP_CLOSED, _GAP_OPEN)
        shaped = self._shaped(blendshapes, opened)
        if self._strength != 1.0:
            landmarks = self._moved(landmarks, gap, opened)
        return landmarks, shaped

    def _moved(self, landmarks: np.ndarray, gap: np.ndarray, opened: float) -> np.ndarray:
        """The landmarks with more or less motion; closed lips keep their gap."""
        moved = landmarks - self._neutral
        moved *= np.float32(self._strength)
        moved += self._neutral
        moved[EYES] = landmarks[EYES]
        if opened < 1.0:
            half = np.float32((1.0 - opened) / 2) * (
                gap - moved[_UPPER_INNER] + moved[_LOWER_INNER]
            )
            for upper, lower in _LIPS:
                moved[upper] += half
                moved[lower] -= half
        return moved

    def _shaped(self, blendshapes: np.ndarray, opened: float) -> np.ndarray:
        """The blendshapes within their ranges; closed lips stay closed."""
        jaw = float(blendshapes[_JAW_OPEN])
        close = float(blendshapes[_MOUTH_CLOSE])
        opening = max(0.0, jaw - close)
        opened = min(opened, _opened(opening, _SHAPES_CLOSED, _SHAPES_OPEN))
        shaped = blendshapes * self._gain
        shaped += self._offset
        np.minimum(np.maximum(shaped, self._low), self._high, out=shaped)
        if opened < 1.0:
            parting = blendshapes[_PARTING]
            wanted = shaped[_PARTING]
            shaped[_PARTING] = np.minimum(wanted, parting + np.float32(opened) * (wanted - parting))
        wider = float(shaped[_JAW_OPEN])
        growth = min(float(self._gain[_JAW_OPEN]), wider / jaw if jaw > 0.0 else 1.0)
        opening *= growth if growth < 1.0 else 1.0 + (growth - 1.0) * opened
        answer = wider - opening + self._strength * max(0.0, close - jaw)
        answer = self._close.gain * answer + self._close.offset
        answer = min(self._close.high, max(self._close.low, answer))
        shaped[_MOUTH_CLOSE] = answer
        shaped[_JAW_OPEN] = min(wider, answer + opening)
        return shaped


def _opened(distance: float, closed: float, opened: float) -> float:
    """How far something is open: 0 up to `closed`, 1 from `opened` on."""
    return min(1.0, max(0.0, (distance - closed) / (opened - closed)))
