"""The idle layer: blinks, the only thing that moves in silence."""

import random

import numpy as np

from ..core.rates import FRAME_RATE_HZ
from .face import BLENDSHAPES

# share of closure per frame of 40 ms: lids fall faster than they rise
CLOSURE = (0.45, 1.0, 0.9, 0.55, 0.2)
# after the first blink people blink every 2 to 6 seconds
_SHORTEST_FRAMES = 2 * FRAME_RATE_HZ
_LONGEST_FRAMES = 6 * FRAME_RATE_HZ
# lid points of both eyes: (upper, lower) of iBUG-68
_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
_BLINK_SHAPES = (BLENDSHAPES.index("eyeBlinkLeft"), BLENDSHAPES.index("eyeBlinkRight"))
# how far the upper lid goes of the way to the lower one, which comes up for the rest
_UPPER_SHARE = 0.75


class Blinker:
    """Closes the eyes now and then, the same way for the same seed.

    :param enabled: whether there are blinks at all
    """

    def __init__(self, enabled: bool = True, seed: int = 0) -> None:
        self.enabled = enabled
        self._random = random.Random(seed)
        self._next = self._random.randint(_SHORTEST_FRAMES, _LONGEST_FRAMES)
        self._at = 0

    def apply(self, landmarks: np.ndarray, blendshapes: np.ndarray) -> bool:
        """Closes the lids of the next frame in place, if a blink is due.

        :param landmarks: float32 [68, 3]
        :param blendshapes: float32 [52]
        :return: whether the lids are closed, or on their way
        """
        if not self.enabled:
            return False
        phase = self._at - self._next
        self._at += 1
        if phase < 0:
            return False
        if phase >= len(CLOSURE):
            self._at = 1
            self._next = self._random.randint(_SHORTEST_FRAMES, _LONGEST_FRAMES)
            return False
        close(landmarks, blendshapes, CLOSURE[phase])
        return True


def close(landmarks: np.ndarray, blendshapes: np.ndarray, share: float) -> None:
    """Moves the lids of landmarks [68, 3] and blendshapes [52] in place; 0 open, 1 shut."""
    for upper, lower in _LIDS:
        meeting = landmarks[upper] + _UPPER_SHARE * (landmarks[lower] - landmarks[upper])
        landmarks[upper] += np.float32(share) * (meeting - landmarks[upper])
        landmarks[lower] += np.float32(share) * (meeting - landmarks[lower])
    for shape in _BLINK_SHAPES:
        blendshapes[shape] = share
