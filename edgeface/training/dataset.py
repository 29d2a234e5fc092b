"""Random training sequences: a clip in another voice, room, level and noise."""

import numpy as np
import soundfile
import torch

from ..features import HOP_SAMPLES
from ..features.fbank import Fbank
from ..model.stepper import LEAD_SAMPLES
from . import augment
from .noises import Noises
from .phones import PHONES
from .prepare import VOICES, voice_path
from .recordings import ACTORS
from .speech import PEOPLE

_ANIMATED_TRUST = 0.5
# how much oftener a second of people is heard than one of a program that speaks, and one of actors
_PEOPLE, _ACTORS = 2.0, 3.0
_ACTING = ("actor-", "human-%s-" % ACTORS)  # how names in cache/speech begin of what actors say
_CUT_OFF = 0.25  # share of the clips whose sound ends amid a word, as a voice does that is switched off,
_CLOSING = 4  # and whose mouth closes within as many frames
_KEPT = 1024  # sequences that wait to be heard again, in another voice
_TURNS = 4  # how often each is heard, on average; to make one takes longer than to learn from it
_HEARD = 40  # frames at least of a clip that has begun before the sequence does


def fbank_of(samples):
    """Fbank of whole frames as the daemon computes it: [N] to float32 [4 N / 640, 80]."""
    fbank = Fbank(block=40)  # fastest
    frames = fbank.accept(np.concatenate((np.zeros(LEAD_SAMPLES, np.float32), samples)))
    return np.concatenate((frames, fbank.finish()))[:len(samples) // 160]


def shares(labels):
    """Of each phone in each frame: labels of `phones.phone_labels` [T, n] to float32 [T, P]."""
    return np.eye(len(PHONES), dtype=np.float32)[labels].mean(1)


SILENCE = shares(np.zeros((1, 1), np.uint8))


def _oftener(name):
    return _ACTORS if name.startswith(_ACTING) else _PEOPLE if name.startswith(PEOPLE) else 1.0


class Sequences(torch.utils.data.IterableDataset):
    """Endless augmented sequences of a fixed number of frames.

    Yields fbank [4 T, 80], the same without room, microphone and noise, landmarks [T, 204],
    blendshapes [T, 52], speech [T], the trust [T] in these targets, lower where no camera
    saw the lips, and the shares of the phones [T, P], all 0 where nobody knows them; float32.

    :param clips: training clips
    :param neutral: resting face [68, 3]
    :param cache: folder that `prepare` filled
    :param animated: clips of `animate.load_animated`, `share` of what is drawn
    """

    def __init__(self, clips, neutral, cache, frames, seed, animated=(), share=0.0):
        self.clips, self.neutral, self.frames, self.seed = clips, neutral, frames, seed
        self.cache, self.animated, self.share = cache, animated, share
        self._noises = Noises(cache)
        # what is longer than a sequence is never heard as a whole
        chances = [min(len(clip.speech), frames) * _oftener(clip.name) for clip in animated]
        self._chances = np.cumsum(chances) / np.sum(chances)

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        kept = []
        while True:
            fresh = self.sequence(rng)
            yield self._in_another_voice(rng, *fresh)
            if len(kept) < _KEPT:
                kept.append(fresh)
                continue
            at = rng.integers(_KEPT)
            kept[at] = fresh
            for again in rng.integers(_KEPT, size=_TURNS - 1):
                yield self._in_another_voice(rng, *kept[again])

    def _in_another_voice(self, rng, noisy, clean, *targets):
        if rng.random() < 0.5:
            factor = np.float32(np.exp(rng.uniform(-0.13, 0.13)))
            noisy, clean = augment.warp_mels(noisy, factor), augment.warp_mels(clean, factor)
        return tuple(torch.from_numpy(part) for part in (noisy, clean, *targets))

    def _animated(self, rng):
        clip = self.animated[np.searchsorted(self._chances, rng.random(), side="right")]
        samples = soundfile.read(str(clip.samples), dtype="float32")[0]
        motion = [track.astype(np.float32) for track in (clip.landmarks, clip.blendshapes, clip.speech)]
        motion += [np.full(len(motion[0]), _ANIMATED_TRUST, np.float32), shares(clip.phones)]
        return augment.change_speed(samples, motion, np.exp(rng.uniform(-0.25, 0.25)))

    def _clip(self, rng):
        if rng.random() < self.share:
            return self._animated(rng)
        clip = self.clips[rng.integers(len(self.clips))]
        samples = clip.samples
        number = rng.integers(-2, len(VOICES))
        if number >= 0:
            path = voice_path(self.cache, clip.name, number)
            if path.exists():
                samples = soundfile.read(str(path), dtype="float32")[0]
        unknown = np.zeros((len(clip.speech), len(PHONES)), np.float32)
        motion = [clip.landmarks, clip.blendshapes, clip.speech, np.ones(len(clip.speech), np.float32),
                  unknown if clip.phones is None else shares(clip.phones)]
        if rng.random() < 0.7:
            samples, motion = augment.change_speed(samples, motion, np.exp(rng.uniform(-0.22, 0.22)))
        return samples, motion

    def sequence(self, rng):
        """One sequence, by the random generator `rng`."""
        frames = self.frames
        sound = np.zeros(frames * HOP_SAMPLES, np.float32)
        landmarks = np.repeat(self.neutral[None], frames, axis=0)
        blendshapes = np.zeros((frames, 52), np.float32)
        speech, trust = np.zeros(frames, np.float32), np.ones(frames, np.float32)
        phones = np.repeat(SILENCE, frames, axis=0)
        at = int(rng.integers(-25, 30))
        talking = rng.random() > 0.25
        level = -30.0
        while talking and at < frames:
            samples, motion = self._clip(rng)
            level = augment.level_db(samples)
            if at < 0:  # anywhere in it, but some of it must be heard
                at = -int(rng.integers(max(1, len(motion[0]) - _HEARD)))
            first, last = max(0, at), min(frames, at + len(motion[0]))
            cut = slice(first - at, last - at)
            sound[first * HOP_SAMPLES:last * HOP_SAMPLES] = \
                samples[cut.start * HOP_SAMPLES:cut.stop * HOP_SAMPLES]
            for target, track in zip((landmarks, blendshapes, speech, trust, phones), motion):
                target[first:last] = track[cut]
            if rng.random() < _CUT_OFF:
                stop = int(rng.integers(first, max(first + 1, last - _CLOSING)))
                sound[stop * HOP_SAMPLES:] = 0.0
                speech[stop:] = 0.0
                phones[stop:] = SILENCE
                remain = np.clip(1 - np.arange(1, last - stop + 1) / _CLOSING, 0, 1).astype(np.float32)
                landmarks[stop:last] = self.neutral + remain[:, None, None] * (landmarks[stop:last] - self.neutral)
                blendshapes[stop:last] *= remain[:, None]
            at = last + int(rng.integers(0, 20))
        noisy, clean = (fbank_of(heard) for heard in self._corrupt(rng, sound, level, talking))
        return noisy, clean, landmarks.reshape(frames, 204), blendshapes, speech, trust, phones

    def _babble(self, rng, n):
        """Three to seven people at once, float32 [n] of unit level."""
        noise = np.zeros(n, np.float32)
        for _ in range(rng.integers(3, 8)):
            if self.animated and rng.random() < 0.6:
                path = self.animated[rng.integers(len(self.animated))].samples
                samples = soundfile.read(str(path), dtype="float32")[0]
            else:
                samples = self.clips[rng.integers(len(self.clips))].samples
            samples = samples / (samples.std() + 1e-4)
            noise += np.roll(np.resize(samples, n), int(rng.integers(n)))
        return noise / (noise.std() + 1e-9)

    def _noise(self, rng, n, talking):
        """Noise that one hears besides speech or, not `talking`, without, float32 [n] of unit level."""
        shares = (0.4, 0.25, 0.25, 0.1) if talking else (0.2, 0.0, 0.5, 0.3)
        kind = rng.choice(4, p=shares)
        if kind == 0:
            return augment.coloured_noise(rng, n, rng.uniform(-0.5, 2.0))
        if kind == 1:
            return self._babble(rng, n)
        return self._noises.draw(rng, n) if kind == 2 else augment.hum(rng, n)

    def _corrupt(self, rng, sound, level, talking):
        """Sound [n], whose speech has `level` dB, in a room with noise, and at the same gain without them: [2, n]."""
        n, noisy = len(sound), sound
        if talking and rng.random() < 0.25:
            noisy = augment.room(rng, noisy)
        if rng.random() < 0.7:
            noisy = augment.microphone(rng, noisy)
        if rng.random() < 0.65 or not talking:
            noise = self._noise(rng, n, talking)
            ratio_db = rng.uniform(3, 18) if rng.random() < 0.6 else rng.uniform(18, 45)
            if not talking:
                ratio_db = rng.uniform(-5, 50)
            if rng.random() < 0.25:  # it begins out of digital silence, and is no breath that opens a mouth
                noise[:int(rng.integers(n))] = 0.0
            noisy = noisy + noise * 10 ** ((level - ratio_db) / 20)
        gain_db = rng.uniform(-22, 16)
        if rng.random() < 0.15:
            gain_db = rng.uniform(-32, 26)
        both = np.clip(np.stack((noisy, sound)) * 10 ** (gain_db / 20), -1, 1)
        if rng.random() < 0.7:  # what a 16-bit device would deliver
            both = np.round(both * 32767) / 32768
        return both.astype(np.float32)
