"""How far lips open and spread beyond what the talker would do, by what is heard and by the phone that is said.

The talker reads commands, all with the same effort. People who talk freely do not: who speaks up opens the jaw wider
(Schulman, J. Acoust. Soc. Am. 85, 1989), which raises the first formant out of the band in which close vowels have it,
and lips that are spread, as in a smile, brighten the voice (Tartter, Percept. Psychophys. 27, 1980). Nothing of the
talker shows how much. Nor do his 51 words show how lips are held for most phones, and between phrases: his own habits
stand for them. So the bands and the sizes below, of effort and of phones, are about those that follow the lips of
people in `filmed` best.
"""

import numpy as np

from edgeface.motion.face import MOUTH, ShapeMap

from .phones import PHONES
from .timbre import UNIT

# of the bands of `timbre`: .64 to 4.1 kHz, and 1.9 to 2.8 kHz, both less some of .27 to .64 kHz
_OPEN = np.array((0, -0.75, 0.25, 0.25, 0.25, 0.25, 0, 0), np.float32)
_SPREAD = np.array((0, -0.5, 0, 0, 1, 0, 0, 0), np.float32)
_OPENING = 0.7  # natural logarithm of how much further lips open for 10 dB
_SPREADING = 0.018  # of the mouth's width for 10 dB, in outer-eye distances
_FARTHEST = 1.0  # 10 dB
# how much further than the talker's lips open (natural logarithm) and spread (outer-eye distances) for kinds of phones
_KINDS = (
    ("f v", -0.75, -0.035),
    ("w uw ow ao oy", -0.75, -0.07),
    ("sh ch zh jh r er", -0.5, -0.03),
    ("aa ah ay ae aw", 0.2, 0.035),
    ("eh ey ih ax uh", 0.05, 0.03),
    ("iy y", -0.15, -0.03),
    ("k g ng hh", 0.35, -0.025),
    ("t d n z dh s th", -0.25, 0.015),
    ("l", -0.5, 0.0),
    ("sil", 0.8, 0.0),
)  # once speech has begun; nothing where lips rest, but they come to rest later
_OF_PHONES = np.zeros((len(PHONES), 2), np.float32)
for _names, *_sizes in _KINDS:
    _OF_PHONES[[PHONES.index(_name) for _name in _names.split()]] = _sizes
_LEAST, _MOST = -1.0, 0.8  # of the natural logarithm in all
_OPEN_FRAMES, _SPREAD_FRAMES = 9, 13
_REST = 0.3  # frames of level 0 in every mean, so that effort fades away beside speech
_TEN_DB = np.log(10) / UNIT
_JAW = slice(0, 17)
# phones shade into each other: lips part and meet fast, while their corners move slowly, before and after a phone, too
_BLUR_FRAMES = 3, 11


def emphasise(face, shapes, heard, said, neutral):
    """Opens and spreads the lips of landmarks [T, 68, 3] and blendshapes [T, 52] by what is heard and said; new arrays.

    :param heard: `timbre.timbre` [T, BANDS]
    :param said: `phones.phone_labels` [T, SUBFRAMES]; effort fades away in pauses
    :param neutral: resting face [68, 3]
    """
    phones = said != PHONES.index("sil")
    begun, spoken = np.maximum.accumulate(phones.ravel()).reshape(phones.shape), phones.mean(1)
    kind = [
        _smoothed(size, frames)
        for size, frames in zip((_OF_PHONES[said] * begun[..., None]).mean(1).T, _BLUR_FRAMES)
    ]
    opening = np.exp(
        np.clip(_OPENING * _effort(heard @ _OPEN, spoken, _OPEN_FRAMES) + kind[0], _LEAST, _MOST)
    )
    spreading = _SPREADING * _effort(heard @ _SPREAD, spoken, _SPREAD_FRAMES) + kind[1]
    changed = face.copy()
    for part in (_JAW, MOUTH):
        changed[:, part, 1] += (opening[:, None] - 1) * (face[:, part, 1] - neutral[part, 1])
    across = neutral[MOUTH, 0] - neutral[MOUTH, 0].mean()
    changed[:, MOUTH, 0] += spreading[:, None] * across / np.ptp(across)
    return changed, np.clip(
        shapes + (changed - face).reshape(len(face), -1) @ ShapeMap().matrix, 0, 1
    )


def _hann(frames):
    """Weights of a Hann window, without the zeros at its ends."""
    return np.hanning(frames + 2)[1:-1]


def _smoothed(sizes, frames):
    """Weighted mean of `sizes` [T] around each frame."""
    window = _hann(frames)
    return np.convolve(np.pad(sizes, frames // 2, "edge"), window / window.sum(), "valid").astype(
        np.float32
    )


def _effort(level, spoken, frames):
    """Mean over `frames` of the `level` [T] of speech, as a timbre has it, in 10 dB; 0 where nobody speaks."""
    window = _hann(frames)
    total, count = (
        np.convolve(np.pad(x, frames // 2), window, "valid") for x in (level * spoken, spoken)
    )
    return np.clip(total / (count + _REST) / _TEN_DB, -_FARTHEST, _FARTHEST).astype(np.float32)
