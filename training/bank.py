"""All that training hears and sees, one clip after another, in the memory of the device that trains."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import soundfile
import torch
from tqdm import tqdm

from edgeface.core.rates import HOP_SAMPLES

from .augment import level_db
from .noises import stored
from .phones import PHONES, SUBFRAMES
from .prepare import VOICES, voice_path
from .recordings import ACTORS
from .speech import FOREIGN, PEOPLE

UNKNOWN = len(PHONES)  # label of a phone that nobody knows
EDGE = 32  # samples of silence before and after all
_READERS = 8  # files that are read at once
# how much oftener a second of people is heard than one of a program that speaks, and one of actors; `foreign` has
# many programs' voices, and little of each
_PEOPLE, _ACTORS = 2.0, 3.0
_ACTING = ("actor-", f"human-{ACTORS}-")  # how names in cache/speech begin of what actors say


class Sounds:
    """Sounds in a row: `sound` int16 [EDGE + 640 F + EDGE]; of each its `first` frame, its `frames`, its level in dB.

    :param read: list of functions that give float32 [N] at 16 kHz, which silence fills up to whole frames
    :param what: title of the progress bar
    """

    def __init__(self, read, what):
        def whole(function):
            samples = function()
            frames = -(-len(samples) // HOP_SAMPLES)
            samples = np.pad(samples, (0, HOP_SAMPLES * frames - len(samples)))
            return np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16), level_db(samples)

        with ThreadPoolExecutor(_READERS) as readers:
            found = list(tqdm(readers.map(whole, read), desc=what, total=len(read), disable=None))
        edge = np.zeros(EDGE, np.int16)
        self.sound = torch.from_numpy(
            np.concatenate([edge] + [samples for samples, _ in found] + [edge])
        )
        self.frames = torch.tensor([len(samples) // HOP_SAMPLES for samples, _ in found])
        self.first = self.frames.cumsum(0) - self.frames
        self.level = torch.tensor([level for _, level in found], dtype=torch.float32)

    def to(self, device):
        """All of it there."""
        for name, value in list(vars(self).items()):
            if isinstance(value, torch.Tensor):
                setattr(self, name, value.to(device))
        return self


class Clips(Sounds):
    """Sounds with motion.

    `landmarks`: less the resting face, float16 [F, 204]; `blendshapes` float16 [F, 52]; `speech` float16 [F, 1];
    `phones` uint8 [F, SUBFRAMES], `UNKNOWN` where nobody knows them.

    :param clips: list of (function that gives its sound, `corpus.Clip`)
    :param neutral: resting face [68, 3]
    :param what: title of the progress bar
    """

    def __init__(self, clips, neutral, what):
        super().__init__([read for read, _ in clips], what)
        frames = int(self.frames.sum())
        self.landmarks = torch.zeros(frames, 204, dtype=torch.float16)
        self.blendshapes = torch.zeros(frames, 52, dtype=torch.float16)
        self.speech = torch.zeros(frames, 1, dtype=torch.float16)
        self.phones = torch.full((frames, SUBFRAMES), UNKNOWN, dtype=torch.uint8)
        for (_, clip), first, count in zip(clips, self.first.tolist(), self.frames.tolist()):
            at = slice(first, first + count)
            face = (clip.landmarks - neutral)[:count].reshape(count, 204)
            self.landmarks[at] = torch.from_numpy(face.astype(np.float16))
            self.blendshapes[at] = torch.from_numpy(clip.blendshapes[:count].astype(np.float16))
            self.speech[at] = torch.from_numpy(clip.speech[:count, None].astype(np.float16))
            if clip.phones is not None:
                self.phones[at] = torch.from_numpy(clip.phones[:count])

    def shares(self, layout):
        """Shares of the phones [B, T, P] in a `layout.Layout`, all 0 where nobody knows them."""
        labels = torch.stack((self.phones[layout.low], self.phones[layout.low + 1])).long()
        now, then = (
            torch.nn.functional.one_hot(labels, len(PHONES) + 1).float().mean(-2)[..., :UNKNOWN]
        )
        return now + layout.part[..., None] * (then - now)


def talker(clips, neutral, cache):
    """`Clips` of the talker: as he is, twice, and in the other voices that `prepare` made."""
    voices = []
    for clip in clips:
        voices += 2 * [(lambda clip=clip: clip.samples, clip)]
        for path in (voice_path(cache, clip.name, number) for number in range(len(VOICES))):
            if path.exists():
                voices.append((_reader(path), clip))
    return Clips(voices, neutral, "the talker's voices")


def animated(clips, neutral, longest):
    """`Clips` of `animate.load_animated`, with the `chance` of each, float32 [C], which sum to 1.

    :param longest: frames of a sequence; what is longer is never heard as a whole
    """
    bank = Clips([(_reader(clip.samples), clip) for clip in clips], neutral, "speech")
    chance = bank.frames.clamp(max=longest) * torch.tensor([_oftener(clip.name) for clip in clips])
    bank.chance = chance / chance.sum()
    return bank


def noises(cache, kind):
    """`Sounds` that are no speech, "music" or "effect", see `noises.prepare`.

    :raises MissingInputError: there is none
    """
    return Sounds([_reader(path) for path in stored(cache, "noises", kind)], kind)


def _reader(path):
    return lambda: soundfile.read(str(path), dtype="float32")[0]


def _oftener(name):
    return (
        _ACTORS
        if name.startswith(_ACTING)
        else _PEOPLE
        if name.startswith((*PEOPLE, FOREIGN))
        else 1.0
    )
