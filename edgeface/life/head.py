"""The head: sways and breathes, turns and nods as people do when they speak or listen.

Sizes and speeds are those of filmed people: `docs/figures.md`, "Head and eyes".
"""

import math
import random
from typing import List

from ..core.rates import FRAME_RATE_HZ
from .sound import Talk
from .spring import Spring

_DEGREE = math.pi / 180
_TURN = 2 * math.pi / FRAME_RATE_HZ  # of 1 Hz, per frame

# slow sway: (amplitude, Hz, Hz) of pitch, yaw and roll in degrees and x and z in units of the face;
# the two frequencies have no common measure, so that it does not come round again
_SWAY = (
    (0.35, 0.071, 0.177),
    (0.60, 0.053, 0.131),
    (0.30, 0.047, 0.149),
    (0.012, 0.041, 0.113),
    (0.012, 0.037, 0.097),
)
_BREATH_HZ = 0.23  # 14 a minute
_BREATH_LIFT = 0.014  # units of the face: a good millimetre
_BREATH_PITCH = -0.25  # degrees: the chin comes up a little

_POSTURE_RATE = 4.0
_NOD_RATE = 10.0
# standard deviation of postures in degrees: pitch, yaw, roll
_SPEAKING_POSTURE = (1.1, 2.6, 1.3)
_WAITING_POSTURE = (0.5, 1.2, 0.6)
_LISTENING_POSTURE = (0.4, 0.8, 0.5)
_STILL_S = (2.5, 5.0)  # after a phrase
_NOD = (1.6, 3.6)  # degrees, least and most
_NOD_FRAMES = (3, 5)
_MELODY_PITCH = -0.7  # degrees, a melody of 1: the head rises with the voice
_LISTENING_TILT = (1.5, 3.0)  # degrees of roll, to either side
_LISTENING_LEAN = 0.05  # units of the face towards the viewer
_FOLLOW = 0.25  # of a glance


class Head:
    """Rotation and translation, frame by frame.

    `glance_yaw`, `glance_pitch`: where the eyes look, in degrees to the viewer's right and up, for
    the head to follow a little.
    """

    def __init__(self, seed: int) -> None:
        self.glance_yaw = 0.0
        self.glance_pitch = 0.0
        self._random = random.Random(seed)
        self._phases = [self._random.uniform(0.0, 2 * math.pi) for _ in range(2 * len(_SWAY) + 1)]
        self._frame = 0
        self._posture = [Spring(_POSTURE_RATE) for _ in range(3)]
        self._wanted = [0.0, 0.0, 0.0]  # the posture, before glance and tilt
        self._tilt = 0.0
        self._lean = Spring(_POSTURE_RATE)
        self._nod = Spring(_NOD_RATE)
        self._nods: List[float] = []  # targets of the next frames
        self._posture_frames = 0
        self._listened = False

    def next(self, talk: Talk) -> List[float]:
        """Pitch, yaw, roll in rad, x, y, z in units of the face (`docs/contract.md`, section 4)."""
        self._choose_posture(talk)
        self._choose_nod(talk)
        pitch, yaw, roll, x, z = self._sway()
        breath = 0.5 - 0.5 * math.cos(self._angle(_BREATH_HZ, -1))
        targets = (
            self._wanted[0] - _FOLLOW * self.glance_pitch,
            self._wanted[1] + _FOLLOW * self.glance_yaw,
            self._wanted[2] + talk.listening * self._tilt,
        )
        for spring, target in zip(self._posture, targets):
            spring.target = target
        self._nod.target = (self._nods.pop() if self._nods else 0.0) + (
            _MELODY_PITCH * talk.speaking * talk.melody
        )
        self._lean.target = _LISTENING_LEAN * talk.listening
        pitch += self._posture[0].step() + self._nod.step() + _BREATH_PITCH * breath
        yaw += self._posture[1].step()
        roll += self._posture[2].step()
        self._frame += 1
        return [
            _DEGREE * pitch,
            _DEGREE * yaw,
            _DEGREE * roll,
            x,
            _BREATH_LIFT * breath,
            z + self._lean.step(),
        ]

    def _angle(self, hertz: float, phase: int) -> float:
        return _TURN * hertz * self._frame + self._phases[phase]

    def _sway(self) -> List[float]:
        return [
            size
            * 0.5
            * (math.sin(self._angle(slow, 2 * k)) + math.sin(self._angle(fast, 2 * k + 1)))
            for k, (size, slow, fast) in enumerate(_SWAY)
        ]

    def _choose_posture(self, talk: Talk) -> None:
        """Another one now and then, and where a phrase begins or has ended."""
        self._posture_frames -= 1
        if talk.ended:
            self._wanted = [0.4 * angle for angle in self._wanted]
            self._posture_frames = round(self._random.uniform(*_STILL_S) * FRAME_RATE_HZ)
        elif talk.began or self._posture_frames <= 0:
            if talk.speaks:
                sizes, shortest_s, longest_s = _SPEAKING_POSTURE, 0.8, 2.6
            elif talk.listens:
                sizes, shortest_s, longest_s = _LISTENING_POSTURE, 3.0, 6.0
            else:
                sizes, shortest_s, longest_s = _WAITING_POSTURE, 3.0, 8.0
            self._wanted = [
                max(-2.0, min(2.0, self._random.gauss(0.0, 1.0))) * size for size in sizes
            ]
            seconds = self._random.uniform(shortest_s, longest_s)
            self._posture_frames = round(seconds * FRAME_RATE_HZ)

    def _choose_nod(self, talk: Talk) -> None:
        """With most stresses while speaking; twice when a heard phrase has ended."""
        if talk.listens and not self._listened:
            self._tilt = self._random.choice((-1, 1)) * self._random.uniform(*_LISTENING_TILT)
        self._listened = talk.listens
        if talk.stressed and talk.speaks and self._random.random() < 0.7:
            self._nods = self._nod_targets(1.0)
        elif talk.ended and talk.listens and self._random.random() < 0.8:
            pause = [0.0] * 5
            self._nods = self._nod_targets(0.7) + pause + self._nod_targets(1.0)

    def _nod_targets(self, share: float) -> List[float]:
        size = share * self._random.uniform(*_NOD)
        return [size] * self._random.randint(*_NOD_FRAMES)
