"""The layer as a whole: puts head, gaze, brows and blinks into frames."""

from typing import List, NamedTuple, Tuple

import numpy as np

from ..motion.frame import NO_GAZE, NO_HEAD
from .blink import Blinker
from .brows import Brows
from .features import move_brows, move_eyes
from .gaze import Gaze
from .head import Head
from .sound import Sound, Talk

_EASE = 0.08  # of the way to another strength, per frame
_SETTLED = 1e-3


class Strengths(NamedTuple):
    """How much of each part there is: 1 as made, 0 none."""

    head: float = 1.0
    gaze: float = 1.0
    brows: float = 1.0
    blink: bool = True


class Life:
    """Moves everything but the mouth, the same way for the same seed and sound.

    `strengths` may be replaced between two frames: the face eases into it.
    """

    def __init__(self, strengths: Strengths = Strengths(), seed: int = 0) -> None:
        self.strengths = strengths
        self._shown = [strengths.head, strengths.gaze, strengths.brows]
        self._talk = Talk()
        self._head = Head(3 * seed + 1)
        self._gaze = Gaze(3 * seed + 2)
        self._brows = Brows(3 * seed + 3)
        self._blinker = Blinker(seed)

    def apply(
        self, landmarks: np.ndarray, blendshapes: np.ndarray, sound: Sound
    ) -> Tuple[np.ndarray, np.ndarray, bool]:
        """Moves eyes and brows of the next frame in place.

        :param landmarks: float32 [68, 3]
        :param blendshapes: float32 [52]
        :param sound: of the frame
        :return: head and gaze as in `motion.frame.Frame`; whether the eyes are blinking
        """
        head_strength, gaze_strength, brows_strength = self._ease()
        self._talk.take(sound)
        self._head.glance_yaw = gaze_strength * self._gaze.glance_yaw
        self._head.glance_pitch = gaze_strength * self._gaze.glance_pitch
        head = [head_strength * value for value in self._head.next(self._talk)]
        gaze = [gaze_strength * angle for angle in self._gaze.next(self._talk, head)]
        raised, frowned = self._brows.next(self._talk)
        move_brows(landmarks, blendshapes, brows_strength * raised, brows_strength * frowned)
        closed = self._blinker.next() if self.strengths.blink else 0.0
        if closed or gaze_strength:
            move_eyes(landmarks, blendshapes, gaze, closed)
        return (
            np.array(head, np.float32) if head_strength else NO_HEAD,
            np.array(gaze, np.float32) if gaze_strength else NO_GAZE,
            closed > 0.0,
        )

    def _ease(self) -> List[float]:
        for part, wanted in enumerate(self.strengths[:3]):
            away = wanted - self._shown[part]
            self._shown[part] = wanted if abs(away) < _SETTLED else self._shown[part] + _EASE * away
        return self._shown
