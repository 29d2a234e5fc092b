"""Motion without jumps: a value that follows its target as a damped mass does."""

import math

from ..core.rates import FRAME_RATE_HZ


class Spring:
    """A critically damped spring, stepped exactly from frame to frame.

    A target that leaps by A moves it at A times `rate` / e at most.

    :param rate: in 1/s; two thirds of the way take 2 / rate
    """

    def __init__(self, rate: float) -> None:
        self.value = 0.0
        self.target = 0.0
        self._speed = 0.0  # per frame
        self._rate = rate / FRAME_RATE_HZ
        self._decay = math.exp(-self._rate)

    def step(self) -> float:
        """The value one frame later."""
        away = self.value - self.target
        push = self._speed + self._rate * away
        self.value = self.target + (away + push) * self._decay
        self._speed = (self._speed - self._rate * push) * self._decay
        return self.value
