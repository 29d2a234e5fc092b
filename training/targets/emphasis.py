"""How far lips open and spread beyond the talker's, by what is heard and by the phone that is said.

The talker reads commands, all with the same effort. People who talk freely do not: who speaks up
opens the jaw wider (Schulman, J. Acoust. Soc. Am. 85, 1989), which raises the first formant out of
the band in which close vowels have it, and lips that are spread, as in a smile, brighten the voice
(Tartter, Percept. Psychophys. 27, 1980). Nothing of the talker shows how much. Nor do his 51 words
show how lips are held for most phones, and between phrases: his own habits stand for them. So the
bands and the sizes below, of effort and of phones, are about those that follow the lips of people
in `judge.films` best.
"""

from typing import Tuple

import numpy as np

from edgeface.motion.face import MOUTH, ShapeMap
from training.phonetics.phones import PHONES

from .timbre import UNIT

# of the bands of `timbre`: .64 to 4.1 kHz, and 1.9 to 2.8 kHz, both less some of .27 to .64 kHz
_OPEN = np.array((0, -0.75, 0.25, 0.25, 0.25, 0.25, 0, 0), np.float32)
_SPREAD = np.array((0, -0.5, 0, 0, 1, 0, 0, 0), np.float32)
_OPENING = 0.7  # natural logarithm of how much farther lips open for 10 dB
_SPREADING = 0.018  # of the mouth's width for 10 dB, in outer-eye distances
_FARTHEST = 1.0  # 10 dB
# how much farther than the talker's lips open (natural logarithm) and spread (outer-eye distances)
# for kinds of phones
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


def _sizes_of_phones() -> np.ndarray:
    """`_KINDS` by phone, float32 [phones, 2]; 0 for p, b and m, where lips meet."""
    sizes = np.zeros((len(PHONES), 2), np.float32)
    for names, opening, spreading in _KINDS:
        for name in names.split():
            sizes[PHONES.index(name)] = opening, spreading
    return sizes


_OF_PHONES = _sizes_of_phones()
_LEAST = -1.0  # of the natural logarithm in all
_MOST = 0.8
_OPEN_FRAMES = 9
_SPREAD_FRAMES = 13
_REST = 0.3  # frames of level 0 in every mean, so that effort fades away beside speech
_TEN_DB = np.log(10) / UNIT
_JAW = slice(0, 17)
# phones shade into each other: lips part and meet fast, while their corners move slowly, before
# and after a phone, too
_OPEN_BLUR_FRAMES = 3
_SPREAD_BLUR_FRAMES = 11


def emphasise(
    face: np.ndarray,
    shapes: np.ndarray,
    heard: np.ndarray,
    said: np.ndarray,
    neutral: np.ndarray,
) -> Tuple[np.ndarray, np.ndarray]:
    """Opens and spreads lips by what is heard and said.

    :param face: landmarks [T, 68, 3]
    :param shapes: blendshapes [T, 52]
    :param heard: `timbre.timbre` [T, BANDS]
    :param said: `phone_labels` [T, SUBFRAMES]; effort fades away in pauses
    :param neutral: resting face [68, 3]
    :return: landmarks and blendshapes, new arrays
    """
    phones = said != PHONES.index("sil")
    begun = np.maximum.accumulate(phones.ravel()).reshape(phones.shape)
    spoken = phones.mean(1)
    held = (_OF_PHONES[said] * begun[..., None]).mean(1)
    opening = _OPENING * _effort(heard @ _OPEN, spoken, _OPEN_FRAMES)
    opening = np.exp(np.clip(opening + _smoothed(held[:, 0], _OPEN_BLUR_FRAMES), _LEAST, _MOST))
    spreading = _SPREADING * _effort(heard @ _SPREAD, spoken, _SPREAD_FRAMES)
    spreading = spreading + _smoothed(held[:, 1], _SPREAD_BLUR_FRAMES)
    changed = face.copy()
    for part in (_JAW, MOUTH):
        changed[:, part, 1] += (opening[:, None] - 1) * (face[:, part, 1] - neutral[part, 1])
    across = neutral[MOUTH, 0] - neutral[MOUTH, 0].mean()
    changed[:, MOUTH, 0] += spreading[:, None] * across / np.ptp(across)
    moved = (changed - face).reshape(len(face), -1)
    return changed, np.clip(shapes + moved @ ShapeMap().matrix, 0, 1)


def _hann(frames: int) -> np.ndarray:
    """Weights of a Hann window, without the zeros at its ends."""
    return np.hanning(frames + 2)[1:-1]


def _smoothed(sizes: np.ndarray, frames: int) -> np.ndarray:
    """Weighted mean of `sizes` [T] around each frame."""
    window = _hann(frames)
    padded = np.pad(sizes, frames // 2, "edge")
    return np.convolve(padded, window / window.sum(), "valid").astype(np.float32)


def _effort(level: np.ndarray, spoken: np.ndarray, frames: int) -> np.ndarray:
    """Mean of the level of speech around each frame, in 10 dB; 0 where nobody speaks.

    :param level: [T], as a timbre has it
    :param spoken: share of each frame in which somebody speaks, [T]
    """
    window = _hann(frames)
    total = np.convolve(np.pad(level * spoken, frames // 2), window, "valid")
    count = np.convolve(np.pad(spoken, frames // 2), window, "valid")
    mean = total / (count + _REST) / _TEN_DB
    return np.clip(mean, -_FARTHEST, _FARTHEST).astype(np.float32)
