"""The brows: up with a stress, sometimes together, a little up while listening."""

import random
from typing import Tuple

from .sound import Talk
from .spring import Spring

_RATE = 9.0
_RAISE = (0.12, 0.42)
_FROWN = (0.10, 0.25)
_FROWN_CHANCE = 0.2
_HELD_FRAMES = (4, 10)
_LISTENING_RAISE = 0.07


class Brows:
    """How far the brows are raised and drawn down, frame by frame."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._raise = Spring(_RATE)
        self._frown = Spring(_RATE)
        self._stress = (0.0, 0.0)
        self._frames = 0

    def next(self, talk: Talk) -> Tuple[float, float]:
        """Raised and drawn down, both 0..1."""
        self._frames -= 1
        if talk.stressed and talk.speaks:
            self._frames = self._random.randint(*_HELD_FRAMES)
            if self._random.random() < _FROWN_CHANCE:
                self._stress = (0.0, self._random.uniform(*_FROWN))
            else:
                self._stress = (self._random.uniform(*_RAISE), 0.0)
        elif self._frames <= 0:
            self._stress = (0.0, 0.0)
        self._raise.target = self._stress[0] + _LISTENING_RAISE * talk.listening
        self._frown.target = self._stress[1]
        return max(0.0, self._raise.step()), max(0.0, self._frown.step())
