"""The eyes: rest on the viewer in small steps, glance away and come back, whatever the head does.

How long people look at each other: S. P. Lee, J. B. Badler, N. I. Badler, "Eyes Alive", 2002. How
long a saccade takes: 2.2 ms a degree and 21 ms, R. H. S. Carpenter, "Movements of the Eyes", 1988.
"""

import math
import random
from typing import List, NamedTuple

from ..core.rates import FRAME_MS, FRAME_RATE_HZ
from .sound import Talk

_DEGREE = math.pi / 180
_HALF_EYES_M = 0.0315
_VIEWER_M = 1.0
_AWAY_M = 2.5
_VERGENCE_SHARE = 0.15  # of the way, per frame
_FURTHEST = 22.0  # degrees: eyes within the head go no further
_FIXATION_S = (0.3, 3.0)
_MEAN_FIXATION_S = 0.9


class _Habit(NamedTuple):
    """Mean seconds on the viewer and away, and how far a glance goes, in degrees."""

    on_s: float
    away_s: float
    least: float
    most: float


_SPEAKING = _Habit(3.1, 0.9, 4.0, 11.0)
_LISTENING = _Habit(7.9, 0.4, 3.0, 7.0)
_WAITING = _Habit(4.5, 1.3, 5.0, 14.0)
_ON_VIEWER = (1.3, 0.9)  # degrees: half of what the small steps cover, across and up


class Gaze:
    """Yaw and pitch of both eyes, frame by frame.

    `glance_yaw`, `glance_pitch`: where they look, in degrees to the viewer's right and up; 0 while
    they rest on the viewer.
    """

    def __init__(self, seed: int) -> None:
        self.glance_yaw = 0.0
        self.glance_pitch = 0.0
        self._random = random.Random(seed)
        self._yaw = self._pitch = 0.0  # where they point now, whatever the head does, in degrees
        self._goal_yaw = self._goal_pitch = 0.0
        self._steps = 0  # frames that the saccade still takes
        self._away = False
        self._turn_frames = round(2.0 * FRAME_RATE_HZ)  # until a glance begins or ends
        self._fixation_frames = 0  # until the next saccade
        self._fixated_frames = 0  # since the last one
        self._vergence = math.atan(_HALF_EYES_M / _VIEWER_M)

    def next(self, talk: Talk, head: List[float]) -> List[float]:
        """Yaw and pitch of the left eye and of the right one, in rad within the head.

        :param head: pitch and yaw in rad, which the eyes make up for
        """
        self._choose(talk)
        if self._steps:
            self._yaw += (self._goal_yaw - self._yaw) / self._steps
            self._pitch += (self._goal_pitch - self._pitch) / self._steps
            self._steps -= 1
        distance_m = _AWAY_M if self._away else _VIEWER_M
        vergence = math.atan(_HALF_EYES_M / distance_m)
        self._vergence += _VERGENCE_SHARE * (vergence - self._vergence)
        limit = _FURTHEST * _DEGREE
        yaw = max(-limit, min(limit, _DEGREE * self._yaw - head[1]))
        pitch = max(-limit, min(limit, _DEGREE * self._pitch + head[0]))
        return [yaw - self._vergence, pitch, yaw + self._vergence, pitch]

    def _choose(self, talk: Talk) -> None:
        self._turn_frames -= 1
        self._fixation_frames -= 1
        self._fixated_frames += 1
        if talk.ended and self._away:
            self._turn_frames = 0  # whoever has said something looks how it was taken
        habit = _WAITING
        if talk.speaks:
            habit = _SPEAKING
        elif talk.listens:
            habit = _LISTENING
        if self._turn_frames <= 0 and self._fixated_frames >= _FIXATION_S[0] * FRAME_RATE_HZ:
            self._away = not self._away
            mean_s = habit.away_s if self._away else habit.on_s
            self._turn_frames = self._duration(mean_s, 0.3, 4 * mean_s)
            self._glance(habit)
        elif self._fixation_frames <= 0:
            self._fixate()

    def _glance(self, habit: _Habit) -> None:
        self.glance_yaw = self.glance_pitch = 0.0
        if self._away:
            size = self._random.uniform(habit.least, habit.most)
            # rather aside than up or down, and rather down than up
            angle = self._random.gauss(-0.25, 0.45)
            self.glance_yaw = size * math.cos(angle) * self._random.choice((-1, 1))
            self.glance_pitch = 0.7 * size * math.sin(angle)
        self._fixate()

    def _fixate(self) -> None:
        """A saccade to another point of what is looked at."""
        across, up = _ON_VIEWER
        self._goal_yaw = self.glance_yaw + self._random.uniform(-across, across)
        self._goal_pitch = self.glance_pitch + self._random.uniform(-up, up)
        size = math.hypot(self._goal_yaw - self._yaw, self._goal_pitch - self._pitch)
        self._steps = max(1, math.ceil((21.0 + 2.2 * size) / FRAME_MS))
        self._fixated_frames = 0
        self._fixation_frames = self._duration(_MEAN_FIXATION_S, *_FIXATION_S)

    def _duration(self, mean_s: float, least_s: float, most_s: float) -> int:
        """Frames of an exponential distribution, within limits."""
        seconds = min(most_s, least_s + self._random.expovariate(1.0 / max(0.1, mean_s - least_s)))
        return round(seconds * FRAME_RATE_HZ)
