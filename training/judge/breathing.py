"""Breath by which bundles are judged: alone, between two words, and where a reader takes it."""

from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

import numpy as np
import soundfile

from edgeface.core.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from edgeface.motion.face import lip_gap
from edgeface.source.file import read_whole
from training.phonetics.espeak import Speaker
from training.signal.breath import BREATHS, find_breaths
from training.signal.level import decibels, level_db

from .animation import Animate

_OF_A_KIND = 16
_LEVELS_DB = (-30, -45)
_SEED = 12
_RECORDED = Path("/usr/share/lmms/samples/misc/breath01.ogg")  # Debian's lmms-common
_RECORDED_S = 2
_OF_READER = 60
_WORDS = ("ma", "say", "bee", "go", "you", "paw", "my father", "hello")
_WORD_DB = -26
_SILENCE = np.zeros(SAMPLE_RATE_HZ, np.float32)
_PAUSE = _SILENCE[: SAMPLE_RATE_HZ // 5]  # before and after a breath between words


class Moment(NamedTuple):
    """Breath with what is heard before and after it, each float32 [N]."""

    before: np.ndarray
    breath: np.ndarray
    after: np.ndarray

    def opening(self, animate: Animate) -> float:
        """By how much lips open more in the breath than in silence, in outer-eye distances."""
        gaps = [
            lip_gap(animate(np.concatenate((self.before, sound, self.after))))
            for sound in (self.breath, 0 * self.breath)
        ]
        edges = len(self.before), len(self.before) + len(self.breath)
        first, end = (sample * FRAME_RATE_HZ // SAMPLE_RATE_HZ for sample in edges)
        return float((gaps[0] - gaps[1])[first:end].max())


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


def between_words() -> Iterator[Tuple[str, List[Moment]]]:
    """(name, moments) of breath between English words of espeak-ng.

    :raises UnavailableError: espeak-ng is not installed
    """
    speaker = Speaker()
    spoken = [speaker.say("en", word)[0] for word in _WORDS]
    words = [word * decibels(_WORD_DB - level_db(word)) for word in spoken]
    befores = [np.concatenate((_SILENCE, word, _PAUSE)) for word in words]
    afters = [np.concatenate((_PAUSE, word)) for word in words[3:] + words[:3]]
    for name, sounds in breaths():
        pairs = [(befores[at % len(words)], afters[at % len(words)]) for at in range(len(sounds))]
        yield name, [Moment(before, one, after) for one, (before, after) in zip(sounds, pairs)]


def of_reader(data: Path) -> List[Moment]:
    """Breaths that a German reader takes amid sentences.

    :param data: folder that holds kerstin
    """
    found: List[Moment] = []
    for path in sorted((data / "kerstin" / "audio").glob("*")):
        samples = soundfile.read(str(path), dtype="float32")[0]
        for first, end in find_breaths(samples):
            found.append(Moment(samples[:first], samples[first:end], samples[end:]))
        if len(found) >= _OF_READER:
            break
    return found
