"""Lips when variants of espeak-ng's voices say the same: whispered and not, in eight languages.

Its whispers are mostly noise; a sixth of their loud moments still has a voice.
"""

from typing import Callable, List, NamedTuple, Tuple

import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ
from edgeface.motion.face import lip_gap, mouth_width
from training.data.correlation import correlation
from training.phonetics.espeak import Speaker
from training.phonetics.ipa import phone_of_ipa
from training.phonetics.timing import PhoneTimes
from training.signal.level import decibels, level_db

from .animation import Animate
from .closures import Closures, judge
from .sentences import SENTENCES


class Beside(NamedTuple):
    """How the lips of one variant move beside those of another: mean correlations of gap and width
    where they say the same, and deviation of the gap as a share of the other's.
    """

    gap: float
    width: float
    share: float
    closures: Closures


class Variant:
    """All sentences in a variant of espeak-ng's voices, and the faces of a bundle.

    :param name: such as `+f3`, or nothing
    :param level: in dBFS
    :raises UnavailableError: espeak-ng has no such variant
    """

    def __init__(self, speaker: Speaker, name: str, level: float, animate: Animate):
        self._name = name
        self._animate = animate
        self._said: List[Tuple[np.ndarray, PhoneTimes]] = []
        for language, sentences in SENTENCES.items():
            for sentence in sentences:
                samples, ipa = speaker.say(language + name, sentence)
                phones = [(start, end, phone_of_ipa(phone)) for start, end, phone in ipa]
                self._said.append((samples * decibels(level - level_db(samples)), phones))
        self._faces = [animate(samples) for samples, _ in self._said]

    def beside(self, other: "Variant") -> Beside:
        """How the lips move beside those of a variant that says the same."""
        ours, theirs = (
            np.concatenate([lip_gap(face) for face in one._faces]) for one in (self, other)
        )
        (row,) = judge(self._animate, {self._name: self._said})
        gap, width = (self._likeness(other, measure) for measure in (lip_gap, mouth_width))
        return Beside(gap, width, float(ours.std() / theirs.std()), row.closures)

    def _likeness(self, other: "Variant", measure: Callable[[np.ndarray], np.ndarray]) -> float:
        found = []
        for ours, theirs, face, beside in zip(self._said, other._said, self._faces, other._faces):
            values = in_time_of(measure(face), ours[1], theirs[1], len(beside))
            found.append(correlation(values, measure(beside)))
        return float(np.mean(found))


def in_time_of(
    values: np.ndarray, phones: PhoneTimes, others: PhoneTimes, frames: int
) -> np.ndarray:
    """Values [T] at the moments at which somebody else says the same, [frames].

    :param phones: what is said at the time of the values
    :param others: the same phones, when the other says them
    :raises ValueError: others say another number of phones
    """
    edges = [[start for start, _, _ in one] + [one[-1][1]] for one in (phones, others)]
    at_s = np.interp(np.arange(frames) / FRAME_RATE_HZ, edges[1], edges[0])
    return np.interp(at_s * FRAME_RATE_HZ, np.arange(len(values)), values)
