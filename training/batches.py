"""Random training batches, made where the network is trained: clips in other voices, rooms, levels and noise."""

from pathlib import Path

import torch

from edgeface.core.rates import HOP_SAMPLES

from . import bank
from .backgrounds import Backgrounds
from .dice import Dice
from .fbank import fbanks_of
from .layout import Layout, lasting
from .phones import PHONES
from .spectra import decibels, in_room, warp_mels

_ANIMATED_TRUST = 0.5
_TALKING = 0.65  # share of the sequences in which somebody speaks
_CUT_OFF = (
    0.25  # share of the clips whose sound ends amid a word, as a voice does that is switched off,
)
_CLOSING = 4  # and whose mouth closes within as many frames
_HEARD = 40  # frames at least of a clip that has begun before the sequence does
_QUIET_DB = -30.0  # level of what would be said where nobody speaks


class Batches:
    """Sequences of a fixed number of frames, many at a time.

    :param talker: `bank.Clips` that a camera saw
    :param animated: None or other `bank.Clips`, with the `chance` of each
    :param music: `bank.Sounds`, also `effects`
    :param neutral: resting face [68, 3]
    :param frames: T
    :param share: of the sequences with speech, in which that is `animated`
    """

    def __init__(self, talker, animated, music, effects, neutral, frames, share, device="cpu"):
        self._dice, self._frames, self._share = Dice(device), frames, share if animated else 0.0
        self._talker, self._animated = talker.to(device), animated and animated.to(device)
        self._neutral = torch.as_tensor(neutral, device=device).reshape(204)
        people = [clips for clips in (self._talker, self._animated) if clips]
        self._backgrounds = Backgrounds(
            self._dice, people, music.to(device), effects.to(device), frames
        )

    def seed(self, seed):
        """What is drawn from now on."""
        self._dice.seed(seed)

    @torch.no_grad()
    def draw(self, count):
        """A batch of B, to be heard `in_another_voice`.

        :return: fbank [B, 4 T, 80], the same without room, microphone and noise, landmarks [B, T, 204], blendshapes
            [B, T, 52], speech [B, T], the trust [B, T] in these targets, lower where no camera saw the lips, and
            the shares of the phones [B, T, P], all 0 where nobody knows them; float32
        """
        dice, device = self._dice, self._dice.device
        talking, animated = dice.maybe(_TALKING, count), dice.maybe(self._share, count)
        sound = torch.zeros(count, HOP_SAMPLES * self._frames, device=device)
        level = torch.full((count,), _QUIET_DB, device=device)
        tracks = [
            torch.zeros(count, self._frames, n, device=device) for n in (204, 52, 1, 1, len(PHONES))
        ]
        landmarks, blendshapes, speech, trust, phones = tracks
        landmarks += self._neutral
        trust += 1.0
        phones[..., 0] = 1.0  # silence
        for clips, chosen in (
            (self._talker, talking & ~animated),
            (self._animated, talking & animated),
        ):
            rows = chosen.nonzero()[:, 0]
            if len(rows):
                layout, level[rows] = self._said(clips, len(rows))
                sound[rows] = layout.sound(clips.sound)
                for track, part in zip(tracks, self._moved(clips, layout)):
                    track[rows] = part
        noisy, clean = (fbanks_of(heard) for heard in self._corrupt(sound, level, talking))
        return noisy, clean, landmarks, blendshapes, speech[..., 0], trust[..., 0], phones

    def in_another_voice(self, noisy, clean, *targets):
        """A batch of `draw`, three sequences in four of another talker."""
        dice, count = self._dice, len(noisy)
        size, shape = dice.uniform(-0.17, 0.17, count, 1), dice.uniform(-0.1, 0.1, count, 1)
        # throat and mouth are not longer or shorter in the same proportion: nor are low and high formants
        bend = torch.linspace(-1, 1, noisy.shape[2], device=noisy.device)
        factor = torch.exp((size + shape * bend) * dice.maybe(0.75, count, 1))
        return (warp_mels(noisy, factor), warp_mels(clean, factor), *targets)

    def _said(self, clips, count):
        """Clips after each other in rows: a `Layout`, and the level of the last in dB [n]."""
        dice, animated = self._dice, clips is self._animated
        layout = Layout(count, self._frames, dice.device, _CLOSING)
        level = torch.full((count,), _QUIET_DB, device=dice.device)
        at = dice.below(55, count) - 25
        while (at < self._frames).any():
            clip = (
                dice.among(clips.chance, count)
                if animated
                else dice.below(len(clips.frames), count)
            )
            spread, changed = (0.25, 1.0) if animated else (0.22, 0.7)
            factor = torch.exp(dice.uniform(-spread, spread, count) * dice.maybe(changed, count))
            length = lasting(clips.frames[clip], factor)
            # anywhere in it, but some of it must be heard
            at = torch.where(at < 0, -dice.below((length - _HEARD).clamp(min=1)), at)
            begins, ends = at.clamp(min=0), (at + length).clamp(max=self._frames)
            stop = begins + dice.below((ends - _CLOSING - begins).clamp(min=1))
            stop = torch.where(dice.maybe(_CUT_OFF, count), stop, self._frames)
            level = torch.where(at < self._frames, clips.level[clip], level)
            layout.lay(at, clips.first[clip], clips.frames[clip], factor, stop)
            at = ends.clamp(min=0) + dice.below(20, count)
        return layout, level

    def _moved(self, clips, layout):
        """What moves in a `Layout`, in the order of `draw`."""
        audible, remain = layout.audible[..., None].float(), layout.remain[..., None]
        trust = torch.where(layout.used, _ANIMATED_TRUST if clips is self._animated else 1.0, 1.0)[
            ..., None
        ]
        phones = audible * clips.shares(layout)
        phones[..., :1] += 1 - audible
        return (
            self._neutral + remain * layout.track(clips.landmarks),
            remain * layout.track(clips.blendshapes),
            audible * layout.track(clips.speech),
            trust,
            phones,
        )

    def _corrupt(self, sound, level, talking):
        """Sound [B, N], whose speech has `level` dB [B], in a room with noise, and at the same gain without them."""
        dice, (count, n) = self._dice, sound.shape
        noisy = in_room(dice, sound, talking & dice.maybe(0.25, count), dice.maybe(0.7, count))
        rows = (dice.maybe(0.65, count) | ~talking).nonzero()[:, 0]
        some, speech = len(rows), talking[rows]
        noise = self._backgrounds.draw(speech)
        # it begins out of digital silence, and is no breath that opens a mouth
        begin = dice.below(n, some) * dice.maybe(0.25, some)
        noise *= torch.arange(n, device=dice.device) >= begin[:, None]
        ratio_db = torch.where(
            dice.maybe(0.6, some), dice.uniform(3, 18, some), dice.uniform(18, 45, some)
        )
        ratio_db = torch.where(speech, ratio_db, dice.uniform(-5, 50, some))
        noisy[rows] += noise * decibels(level[rows] - ratio_db)[:, None]
        gain_db = torch.where(
            dice.maybe(0.15, count), dice.uniform(-32, 26, count), dice.uniform(-22, 16, count)
        )
        both = (torch.stack((noisy, sound)) * decibels(gain_db)[:, None]).clamp(-1, 1)
        # what a 16-bit device would deliver
        return torch.where(dice.maybe(0.7, count)[:, None], torch.round(both * 32767) / 32768, both)


class Heard(torch.utils.data.IterableDataset):
    """Endless batches of `count` out of `Batches`.

    :param kept: sequences that wait to be heard again, in another voice
    :param fresh: how many of them are drawn anew at a time
    :param turns: how often each is heard, on average; where to make one takes longer than to learn from it
    """

    def __init__(self, batches, count, kept, fresh, turns):
        self._batches, self._count, self._kept, self._fresh, self._turns = (
            batches,
            count,
            kept,
            fresh,
            turns,
        )

    def __iter__(self):
        waiting = self._batches.draw(self._kept)
        while True:
            for _ in range(self._turns * self._fresh // self._count):
                chosen = torch.randperm(self._kept)[: self._count].to(waiting[0].device)
                yield self._batches.in_another_voice(*(part[chosen] for part in waiting))
            old = torch.randperm(self._kept)[: self._fresh].to(waiting[0].device)
            for part, new in zip(waiting, self._batches.draw(self._fresh)):
                part[old] = new


def load(training, neutral, cache, frames, animated, share, device="cpu"):
    """`Batches` of the talker's clips `training`, of what `animate.load_animated` gives and of the cache's noises.

    :raises MissingInputError: there are no noises
    """
    return Batches(
        bank.talker(training, neutral, Path(cache)),
        bank.animated(animated, neutral, frames) if animated else None,
        bank.noises(cache, "music"),
        bank.noises(cache, "effect"),
        neutral,
        frames,
        share,
        device,
    )
