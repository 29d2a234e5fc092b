"""Random batches, made where the network is trained: clips in other voices, rooms and noise."""

import math
from typing import List, NamedTuple, Optional, Tuple

import numpy as np
import torch

from edgeface.core.rates import HOP_SAMPLES
from training.data.grid import Clip
from training.data.manifest import EFFECT, MUSIC
from training.data.store import Store
from training.phonetics.phones import PHONES
from training.signal.fbank import fbanks_of
from training.signal.fbank_whispers import raised_formants, whispered_fbanks
from training.signal.level import decibels
from training.signal.random_tensors import RandomTensors
from training.signal.spectra import in_room, warp_mels

from .backgrounds import Backgrounds
from .clips import FULL_SCALE, Clips, Sounds, animated_clips, sounds, talker_clips
from .schedule import Schedule, lasting
from .slow_speech import slowed

_ANIMATED_TRUST = 0.5
_TALKING = 0.65  # share of the sequences in which somebody speaks
_CUT_OFF = 0.25  # share of the clips whose sound ends amid a word, as of a voice switched off,
_CLOSING = 4  # and whose mouth closes within as many frames
_AUDIBLE = 40  # frames at least of a clip that has begun before the sequence does
_QUIET_DB = -30.0  # level of what would be said where nobody speaks
_TRACKS = (204, 52, 1, 1, len(PHONES))  # sizes of what moves, in the order of `Batch`
# chances
_OTHER_TALKER = 0.75
_WHISPER = 0.04
_SLOW = 0.12
_LATE = 0.15  # that the first clip begins up to 3 s late: after pauses a stream speaks, too
_SLOWEST = 4.0  # times


class Batch(NamedTuple):
    """B sequences of T frames, float32.

    fbank: [B, 4 T, 80]; clean: the same without room, microphone and noise
    landmarks: [B, T, 204]; blendshapes: [B, T, 52]; speech: [B, T]
    trust: in these targets, lower where no camera saw the lips, [B, T]
    phones: their shares [B, T, P], all 0 where nobody knows them
    """

    fbank: torch.Tensor
    clean: torch.Tensor
    landmarks: torch.Tensor
    blendshapes: torch.Tensor
    speech: torch.Tensor
    trust: torch.Tensor
    phones: torch.Tensor


class Batches:
    """Sequences of a fixed number of frames, many at a time.

    :param talker: what a camera saw
    :param animated: other clips, or None
    :param neutral: resting face [68, 3]
    :param frames: T
    :param share: of the sequences with speech, in which that is `animated`
    """

    def __init__(
        self,
        talker: Clips,
        animated: Optional[Clips],
        music: Sounds,
        effects: Sounds,
        neutral: np.ndarray,
        frames: int,
        share: float,
        device: str = "cpu",
    ):
        self._random = RandomTensors(device)
        self._frames = frames
        self._share = share if animated else 0.0
        self._talker = talker.to(device)
        self._animated = animated.to(device) if animated else None
        self._neutral = torch.as_tensor(neutral, device=device).reshape(_TRACKS[0])
        self._people = [self._talker]
        if self._animated is not None:
            self._people.append(self._animated)
        self._backgrounds = Backgrounds(
            self._random, self._people, music.to(device), effects.to(device), frames
        )

    def seed(self, seed: int) -> None:
        """Determines what is drawn from now on."""
        self._random.seed(seed)

    @torch.no_grad()
    def draw(self, count: int) -> Batch:
        """A batch of B, to be heard `in_another_voice`."""
        random = self._random
        talking = random.maybe(_TALKING, count)
        animated = random.maybe(self._share, count)
        sound = torch.zeros(count, HOP_SAMPLES * self._frames, device=random.device)
        level_db = torch.full((count,), _QUIET_DB, device=random.device)
        tracks = [torch.zeros(count, self._frames, n, device=random.device) for n in _TRACKS]
        landmarks, blendshapes, speech, trust, phones = tracks
        landmarks += self._neutral
        trust += 1.0
        phones[..., PHONES.index("sil")] = 1.0
        for clips in self._people:
            chosen = animated if clips is self._animated else ~animated
            rows = (talking & chosen).nonzero()[:, 0]
            if len(rows):
                schedule, level_db[rows] = self._schedule(clips, len(rows))
                sound[rows] = schedule.sound(clips.sound)
                for track, part in zip(tracks, self._moved(clips, schedule)):
                    track[rows] = part
        noisy, clean = (fbanks_of(heard) for heard in self._corrupt(sound, level_db, talking))
        return Batch(noisy, clean, landmarks, blendshapes, speech[..., 0], trust[..., 0], phones)

    def in_another_voice(self, batch: Batch) -> Batch:
        """The same, most of it said by another talker, some of it slowly or in a whisper."""
        random = self._random
        count = len(batch.fbank)
        size = random.uniform(-0.17, 0.17, count, 1)
        shape = random.uniform(-0.1, 0.1, count, 1)
        # throat and mouth are not longer or shorter in the same proportion: nor are low and high
        # formants
        bend = torch.linspace(-1, 1, batch.fbank.shape[2], device=batch.fbank.device)
        warp = (size + shape * bend) * random.maybe(_OTHER_TALKER, count, 1)
        # what is soft and noisy where nobody speaks would teach that soft speech is noise
        whisper = random.maybe(_WHISPER, count) & (batch.speech.amax(1) > 0)
        factor = torch.exp(warp + raised_formants(random, whisper))
        slow = random.maybe(_SLOW, count)
        times = torch.exp(slow * random.uniform(0, math.log(_SLOWEST), count))
        noisy, clean, *targets = slowed(random, times, batch)
        fbanks = (warp_mels(fbank, factor) for fbank in (noisy, clean))
        return Batch(*whispered_fbanks(random, whisper, *fbanks), *targets)

    def _schedule(self, clips: Clips, count: int) -> Tuple[Schedule, torch.Tensor]:
        """Clips after each other in rows, and the level of the last in dB [n]."""
        random = self._random
        animated = clips is self._animated
        spread, changed = (0.25, 1.0) if animated else (0.22, 0.7)
        schedule = Schedule(count, self._frames, random.device, _CLOSING)
        level_db = torch.full((count,), _QUIET_DB, device=random.device)
        at = random.below(55, count) - 25
        at = torch.where(random.maybe(_LATE, count), random.below(75, count), at)
        while (at < self._frames).any():
            if animated:
                clip = random.among(clips.chance, count)
            else:
                clip = random.below(len(clips.frames), count)
            tempo = random.uniform(-spread, spread, count) * random.maybe(changed, count)
            factor = torch.exp(tempo)
            length = lasting(clips.frames[clip], factor)
            # anywhere in it, but some of it must be heard
            at = torch.where(at < 0, -random.below((length - _AUDIBLE).clamp(min=1)), at)
            begins = at.clamp(min=0)
            ends = (at + length).clamp(max=self._frames)
            stop = begins + random.below((ends - _CLOSING - begins).clamp(min=1))
            stop = torch.where(random.maybe(_CUT_OFF, count), stop, self._frames)
            level_db = torch.where(at < self._frames, clips.level[clip], level_db)
            schedule.place(at, clips.first[clip], clips.frames[clip], factor, stop)
            at = ends.clamp(min=0) + random.below(20, count)
        return schedule, level_db

    def _moved(self, clips: Clips, schedule: Schedule) -> Tuple[torch.Tensor, ...]:
        """What moves in a schedule, in the order of `Batch`."""
        audible = schedule.audible[..., None].float()
        remain = schedule.remain[..., None]
        certainty = _ANIMATED_TRUST if clips is self._animated else 1.0
        trust = torch.where(schedule.used, certainty, 1.0)[..., None]
        phones = audible * clips.phone_shares(schedule)
        phones[..., :1] += 1 - audible
        return (
            self._neutral + remain * schedule.track(clips.landmarks),
            remain * schedule.track(clips.blendshapes),
            audible * schedule.track(clips.speech),
            trust,
            phones,
        )

    def _corrupt(
        self, sound: torch.Tensor, level_db: torch.Tensor, talking: torch.Tensor
    ) -> torch.Tensor:
        """Sound in a room with noise, and at the same gain without them: [2, B, N].

        :param sound: [B, N], whose speech has the level [B]
        """
        random = self._random
        count, samples = sound.shape
        room = talking & random.maybe(0.25, count)
        noisy = in_room(random, sound, room, random.maybe(0.7, count))
        rows = (random.maybe(0.65, count) | ~talking).nonzero()[:, 0]
        noisy[rows] += self._noise(samples, talking[rows], level_db[rows])
        gain_db = torch.where(
            random.maybe(0.15, count),
            random.uniform(-32, 26, count),
            random.uniform(-22, 16, count),
        )
        both = (torch.stack((noisy, sound)) * decibels(gain_db)[:, None]).clamp(-1, 1)
        # what a 16-bit device would deliver
        delivered = torch.round(both * FULL_SCALE) / (FULL_SCALE + 1)
        return torch.where(random.maybe(0.7, count)[:, None], delivered, both)

    def _noise(self, samples: int, speech: torch.Tensor, level_db: torch.Tensor) -> torch.Tensor:
        """Backgrounds [n, samples] at random levels below those [n] of the speech."""
        random = self._random
        count = len(speech)
        noise = self._backgrounds.draw(speech)
        # it begins out of digital silence, and is no breath that opens a mouth
        begin = random.below(samples, count) * random.maybe(0.25, count)
        noise *= torch.arange(samples, device=random.device) >= begin[:, None]
        ratio_db = torch.where(
            random.maybe(0.6, count), random.uniform(3, 18, count), random.uniform(18, 45, count)
        )
        ratio_db = torch.where(speech, ratio_db, random.uniform(-5, 50, count))
        return noise * decibels(level_db - ratio_db)[:, None]


def load(
    training: List[Clip],
    neutral: np.ndarray,
    store: Store,
    frames: int,
    animated: List[Clip],
    share: float,
    device: str = "cpu",
) -> Batches:
    """`Batches` of the talker's clips, of animated speech and of the cache's other sounds.

    :param animated: of `targets.animate.load_animated`
    :raises MissingInputError: there are no other sounds
    """
    return Batches(
        talker_clips(training, neutral, store.folder),
        animated_clips(animated, neutral, frames) if animated else None,
        sounds(store, MUSIC),
        sounds(store, EFFECT),
        neutral,
        frames,
        share,
        device,
    )
