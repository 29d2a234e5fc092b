"""What one hears besides speech, or without any: noise, people, music, sounds, hum."""

from typing import List

import torch

from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES
from training.data.sounds import FAINT_DB
from training.signal.level import decibels, levels_db
from training.signal.noise import breaths, coloured_noises, hums, unit
from training.signal.random_tensors import RandomTensors
from training.signal.spectra import in_room

from .clips import Clips, Sounds
from .schedule import Schedule, lasting

# chances of coloured noise, other people, music, single sounds, hum, breath
_SILENT = (0.1, 0.0, 0.33, 0.37, 0.12, 0.08)
_TALKING = (0.38, 0.25, 0.12, 0.12, 0.09, 0.04)
# people who speak at once
_FEWEST = 3
_MOST = 7
_OTHERS = 0.6  # chance that it is not the talker who speaks
_FAINT = 3.0  # 16-bit steps, so that silence is not made loud
_SPEED = (0.74, 1.35)  # of music and single sounds
_SLOPE = (-0.5, 2.0)  # of coloured noise
_MICROPHONE = 0.5  # chance that what was recorded is heard through another one


class Backgrounds:
    """Backgrounds of `frames` each.

    :param people: the talker's clips first, then perhaps others
    """

    def __init__(
        self,
        random: RandomTensors,
        people: List[Clips],
        music: Sounds,
        effects: Sounds,
        frames: int,
    ):
        self._random = random
        self._people = people
        self._music = music
        self._effects = effects
        self._frames = frames
        self._samples = HOP_SAMPLES * frames
        self._chances = torch.tensor((_SILENT, _TALKING), device=random.device)

    def draw(self, talking: torch.Tensor) -> torch.Tensor:
        """What one hears where somebody is `talking`, bool [R], and where not.

        :return: [R, 640 T] of unit level
        """
        kinds = self._random.among(self._chances[talking.long()])[:, 0]
        noise = torch.zeros(len(talking), self._samples, device=kinds.device)
        makers = (
            self._coloured,
            self._babble,
            self._tune,
            self._single_sounds,
            self._hum,
            self._breath,
        )
        for kind, make in enumerate(makers):
            rows = (kinds == kind).nonzero()[:, 0]
            if len(rows):
                noise[rows] = make(len(rows))
        return noise

    def _coloured(self, count: int) -> torch.Tensor:
        slopes = self._random.uniform(*_SLOPE, count)
        return coloured_noises(self._random, self._samples, slopes)

    def _babble(self, count: int) -> torch.Tensor:
        sound = self._people[-1 if self._random.maybe(_OTHERS, 1) else 0].sound
        device = sound.device
        begin = self._random.below(len(sound) - self._samples, count, _MOST)
        voices = sound[begin[..., None] + torch.arange(self._samples, device=device)].float()
        voices /= voices.std(-1, keepdim=True) + _FAINT
        people = _FEWEST + self._random.below(_MOST - _FEWEST + 1, count, 1)
        speaks = torch.arange(_MOST, device=device) < people
        return unit((voices * speaks[..., None]).sum(1))

    def _tune(self, count: int) -> torch.Tensor:
        music = self._music
        schedule = Schedule(count, self._frames, self._random.device)
        piece = self._random.below(len(music.frames), count)
        frames = music.frames[piece]
        factor = self._random.uniform(*_SPEED, count)
        at = -self._random.below((lasting(frames, factor) - self._frames).clamp(min=1))
        while (at < self._frames).any():  # short ones again and again
            schedule.place(at, music.first[piece], frames, factor)
            at = at + lasting(frames, factor)
        tune = self._recorded(schedule.sound(music.sound))
        return tune / decibels(levels_db(tune).clamp(min=FAINT_DB))[:, None]

    def _single_sounds(self, count: int) -> torch.Tensor:
        """Sounds with pauses between them."""
        effects = self._effects
        schedule = Schedule(count, self._frames, self._random.device)
        gain_db = torch.zeros(count, self._frames, device=self._random.device)
        at = -self._random.below(FRAME_RATE_HZ, count)
        while (at < self._frames).any():
            effect = self._random.below(len(effects.frames), count)
            frames = effects.frames[effect]
            factor = self._random.uniform(*_SPEED, count)
            inside = schedule.place(at, effects.first[effect], frames, factor)
            level = effects.level[effect].clamp(min=FAINT_DB)[:, None]
            gain_db = torch.where(inside, -level, gain_db)
            at = at + lasting(frames, factor) + self._random.below(FRAME_RATE_HZ, count)
        gain = decibels(gain_db).repeat_interleave(HOP_SAMPLES, 1)
        return self._recorded(schedule.sound(effects.sound) * gain)

    def _recorded(self, sound: torch.Tensor) -> torch.Tensor:
        rows = len(sound)
        no_room = self._random.maybe(0.0, rows)
        return in_room(self._random, sound, no_room, self._random.maybe(_MICROPHONE, rows))

    def _hum(self, count: int) -> torch.Tensor:
        return hums(self._random, count, self._samples)

    def _breath(self, count: int) -> torch.Tensor:
        return breaths(self._random, count, self._samples)
