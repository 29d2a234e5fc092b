"""Blinks."""

import random

from ..core.rates import FRAME_RATE_HZ

# share of closure per frame of 40 ms: lids fall faster than they rise
CLOSURE = (0.45, 1.0, 0.9, 0.55, 0.2)
# after the first blink people blink every 2 to 6 seconds
_SHORTEST_FRAMES = 2 * FRAME_RATE_HZ
_LONGEST_FRAMES = 6 * FRAME_RATE_HZ


class Blinker:
    """Closes the eyes now and then, the same way for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._next = self._random.randint(_SHORTEST_FRAMES, _LONGEST_FRAMES)
        self._at = 0

    def next(self) -> float:
        """How far the next frame's lids are closed by a blink: 0 not at all, 1 shut."""
        phase = self._at - self._next
        self._at += 1
        if phase < 0:
            return 0.0
        if phase >= len(CLOSURE):
            self._at = 1
            self._next = self._random.randint(_SHORTEST_FRAMES, _LONGEST_FRAMES)
            return 0.0
        return CLOSURE[phase]
