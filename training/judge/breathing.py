"""Breath by which bundles are judged: alone, and between two words."""

from pathlib import Path
from typing import Iterator, List, Tuple

import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from edgeface.motion.face import lip_gap
from edgeface.source.file import read_whole
from training.phonetics.espeak import Speaker
from training.signal.breath import BREATHS
from training.signal.level import decibels, level_db

from .animation import Animate

_OF_A_KIND = 16
_LEVELS_DB = (-30, -45)
_SEED = 12
_RECORDED = Path("/usr/share/lmms/samples/misc/breath01.ogg")  # Debian's lmms-common
_RECORDED_S = 2
_WORDS = ("ma", "say", "bee", "go", "you", "paw", "my father", "hello")
_WORD_DB = -26
_SILENCE = np.zeros(SAMPLE_RATE_HZ, np.float32)
_PAUSE = _SILENCE[: SAMPLE_RATE_HZ // 5]  # before and after a breath between words


def breaths() -> Iterator[Tuple[str, List[np.ndarray]]]:
    """(name, breaths float32 [N]) at two levels; a recorded one only where it is installed."""
    rng = np.random.default_rng(_SEED)
    kinds = [(kind.name, [kind.sound(rng) for _ in range(_OF_A_KIND)]) for kind in BREATHS]
    if _RECORDED.exists():
        samples = read_whole(str(_RECORDED))[: _RECORDED_S * SAMPLE_RATE_HZ]
        kinds.append(("recorded, of lmms", [samples / samples.std()]))
    for level in _LEVELS_DB:
        for name, sounds in kinds:
            yield f"{name}, {level} dBFS", [sound * decibels(level) for sound in sounds]


def alone() -> Iterator[Tuple[str, List[np.ndarray]]]:
    """(name, sounds float32 [N]) of breath amid silence."""
    for name, sounds in breaths():
        yield name, [np.concatenate((_SILENCE, sound, _SILENCE)) for sound in sounds]


class BetweenWords:
    """English words of espeak-ng, between which somebody breathes.

    :raises UnavailableError: espeak-ng is not installed
    """

    def __init__(self, animate: Animate):
        self._animate = animate
        speaker = Speaker()
        words = [speaker.say("en", word)[0] for word in _WORDS]
        self._words = [word * decibels(_WORD_DB - level_db(word)) for word in words]

    def opening(self, number: int, breath: np.ndarray) -> float:
        """By how much lips open more in the breath [N] than in silence, outer-eye distances.

        :param number: of the word before it
        """
        word = self._words[number % len(self._words)]
        after = self._words[(number + 3) % len(self._words)]
        before = np.concatenate((_SILENCE, word, _PAUSE))
        gaps = [
            lip_gap(self._animate(np.concatenate((before, sound, _PAUSE, after))))
            for sound in (breath, 0 * breath)
        ]
        first, end = (
            n * FRAME_RATE_HZ // SAMPLE_RATE_HZ for n in (len(before), len(before) + len(breath))
        )
        return float((gaps[0] - gaps[1])[first:end].max())
