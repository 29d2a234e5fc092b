"""What one hears besides speech, or without any: noise, people, music, sounds, hum."""

import math

import torch

from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ

from .layout import Layout, lasting
from .noises import FAINT_DB
from .spectra import coloured, decibels, in_room, loudness, unit

# chances of coloured noise, other people, music, sounds, hum
_SILENT, _TALKING = (0.1, 0.0, 0.35, 0.4, 0.15), (0.4, 0.25, 0.125, 0.125, 0.1)
_FEWEST, _MOST = 3, 7  # people who speak at once
_TONES, _PARTIALS = 4, 11  # of a hum, at most
_OTHERS = 0.6  # chance that it is not the talker who speaks


class Backgrounds:
    """Backgrounds of `frames` each.

    :param dice: a `dice.Dice`
    :param people: one or two `bank.Clips`, the talker's first
    :param music: `bank.Sounds`, also `effects`
    """

    def __init__(self, dice, people, music, effects, frames):
        self._dice, self._people, self._music, self._effects, self._frames = (
            dice,
            people,
            music,
            effects,
            frames,
        )
        self._samples = HOP_SAMPLES * frames
        self._chances = torch.tensor((_SILENT, _TALKING), device=dice.device)

    def draw(self, talking):
        """What one hears where somebody is `talking`, bool [R], and where not: [R, 640 T] of unit level."""
        kinds = self._dice.among(self._chances[talking.long()])[:, 0]
        noise = torch.zeros(len(talking), self._samples, device=kinds.device)
        for kind, make in enumerate(
            (self._coloured, self._babble, self._tune, self._rattle, self._hum)
        ):
            rows = (kinds == kind).nonzero()[:, 0]
            if len(rows):
                noise[rows] = make(len(rows))
        return noise

    def _coloured(self, count):
        return coloured(self._dice, self._samples, self._dice.uniform(-0.5, 2.0, count))

    def _babble(self, count):
        sound = self._people[-1 if self._dice.maybe(_OTHERS, 1) else 0].sound
        begin = self._dice.below(len(sound) - self._samples, count, _MOST)
        voices = sound[begin[..., None] + torch.arange(self._samples, device=sound.device)].float()
        voices /= voices.std(-1, keepdim=True) + 3.0
        people = _FEWEST + self._dice.below(_MOST - _FEWEST + 1, count, 1)
        return unit(
            (voices * (torch.arange(_MOST, device=sound.device) < people)[..., None]).sum(1)
        )

    def _tune(self, count):
        music, layout = self._music, Layout(count, self._frames, self._dice.device)
        piece = self._dice.below(len(music.frames), count)
        frames, factor = music.frames[piece], self._dice.uniform(0.74, 1.35, count)
        at = -self._dice.below((lasting(frames, factor) - self._frames).clamp(min=1))
        while (at < self._frames).any():  # short ones again and again
            layout.lay(at, music.first[piece], frames, factor)
            at = at + lasting(frames, factor)
        tune = self._recorded(layout.sound(music.sound))
        return tune / decibels(loudness(tune).clamp(min=FAINT_DB))[:, None]

    def _rattle(self, count):
        """Sounds with pauses between them."""
        effects, layout = self._effects, Layout(count, self._frames, self._dice.device)
        gain_db = torch.zeros(count, self._frames, device=self._dice.device)
        at = -self._dice.below(FRAME_RATE_HZ, count)
        while (at < self._frames).any():
            effect = self._dice.below(len(effects.frames), count)
            frames, factor = effects.frames[effect], self._dice.uniform(0.74, 1.35, count)
            inside = layout.lay(at, effects.first[effect], frames, factor)
            gain_db = torch.where(
                inside, -effects.level[effect].clamp(min=FAINT_DB)[:, None], gain_db
            )
            at = at + lasting(frames, factor) + self._dice.below(FRAME_RATE_HZ, count)
        return self._recorded(
            layout.sound(effects.sound) * decibels(gain_db).repeat_interleave(HOP_SAMPLES, 1)
        )

    def _recorded(self, sound):
        rows = len(sound)
        return in_room(self._dice, sound, self._dice.maybe(0.0, rows), self._dice.maybe(0.5, rows))

    def _hum(self, count):
        """Mains hum, fans or held chords: steady or plucked harmonics."""
        dice = self._dice
        t = torch.arange(self._samples, device=dice.device) / SAMPLE_RATE_HZ
        out = torch.zeros(count, self._samples, device=dice.device)
        tones = 1 + dice.below(_TONES, count)
        for tone in range(_TONES):
            rows = (tone < tones).nonzero()[:, 0]
            some = len(rows), 1
            hz = torch.exp(dice.uniform(math.log(50), math.log(800), *some))
            partials, fall = 1 + dice.below(_PARTIALS, *some), dice.uniform(0.3, 2, *some)
            phase = (t / dice.uniform(0.15, 0.8, *some) + dice.uniform(0, 1, *some)) % 1.0
            notes = torch.exp(-dice.uniform(0, 5, *some) * dice.maybe(0.6, *some) * phase)
            for k in range(1, _PARTIALS + 1):
                strength = (
                    ((k <= partials) & (hz * k < 7500)) * dice.uniform(0.2, 1, *some) / k**fall
                )
                out[rows] += (
                    strength
                    * notes
                    * torch.sin(2 * math.pi * hz * k * t + dice.uniform(0, 6.3, *some))
                )
        return unit(out)
