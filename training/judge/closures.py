"""How lips follow phones, of any person in any language: closures, rounding, motion and rest."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from edgeface.motion.face import lip_gap, mouth_width
from training.phonetics.phones import SILENCES
from training.phonetics.timing import PhoneTimes
from training.targets.lips import CLOSED_PHONES

from .animation import Animate

_PAUSE_S = 1.0  # between recordings
_OPEN = ("aa", "ae", "ah", "ay", "aw", "eh")
_ROUND = ("uw", "uh", "ow", "ao")
_SPREAD = ("iy", "ih", "ey", "eh", "aa")
_RANGE = (1, 99)  # percentiles
_CLOSED_SHARE = 0.15  # of the gap's range in speech
_PAUSE_FRAMES = 5  # to either side of a frame that is amid speech
_NEAR_FRAMES = 2  # to either side of a phone at which lips close
# half a second after a phone nothing moves any more; 0.2 s before one lips may open already
_REST_AFTER_FRAMES = 12
_REST_BEFORE_FRAMES = 5

Spoken = Dict[str, List[Tuple[np.ndarray, PhoneTimes]]]
"""Of each language or voice: samples float32 [N] at 16 kHz, and when which phone is in them."""


class Closures(NamedTuple):
    """closed: share of the p, b and m at which the gap falls below 15 % of its range in speech
    within a frame; shut: share of the open vowels in whose middle it does so too; strays: how often
    a minute of speech it does so farther than two frames from any p, b or m, and 0.2 s from pauses.
    """

    closed: float
    shut: float
    strays: float


class Judgement(NamedTuple):
    """bilabials: how many p, b and m there are; rounding: how often a rounded vowel's mouth is
    narrower than a spread vowel's, 0.5 by chance; motion: deviation of the gap in speech; rest:
    that in pauses, but for half a second after a phone and 0.2 s before one, in % of speech.
    """

    language: str
    bilabials: int
    closures: Closures
    rounding: float
    motion: float
    rest: float


def judge(animate: Animate, spoken: Spoken) -> List[Judgement]:
    """How lips follow what is said, for each language or voice."""
    return [_judge(animate, language, said) for language, said in spoken.items()]


def closing(gap: np.ndarray, talking: np.ndarray, phones: PhoneTimes) -> Closures:
    """How lips close.

    :param gap: of the lips, [T]
    :param talking: which frames are speech, bool [T]
    """
    low, high = np.percentile(gap[talking], _RANGE)
    closed = gap < low + _CLOSED_SHARE * (high - low)
    near = np.zeros(len(gap), bool)
    meet = []
    for start, end, phone in phones:
        if phone in CLOSED_PHONES:
            meet.append(closed[_frames_around(start, end, 1)].any())
            near[_frames_around(start, end, _NEAR_FRAMES)] = True
    shut = [closed[_middle(start, end, len(gap))] for start, end, phone in phones if phone in _OPEN]
    amid_speech = _amid(talking)
    strays = sum(not near[begin:end].any() for begin, end in _runs(closed & amid_speech))
    a_minute = 60 * FRAME_RATE_HZ / max(1, amid_speech.sum())
    return Closures(float(np.mean(meet)), float(np.mean(shut)), a_minute * strays)


def rounding(width: np.ndarray, phones: PhoneTimes) -> float:
    """How often a rounded vowel's mouth is narrower than a spread vowel's, 0.5 by chance.

    :param width: of the mouth, [T]
    """
    middle = [(phone, width[_middle(start, end, len(width))]) for start, end, phone in phones]
    narrow = np.array([at for phone, at in middle if phone in _ROUND])
    wide = np.array([at for phone, at in middle if phone in _SPREAD])
    return float((narrow[:, None] < wide[None]).mean())


def _frames_around(start_s: float, end_s: float, reach: int) -> slice:
    """Frames of a phone, and `reach` more to either side."""
    first = max(0, int(FRAME_RATE_HZ * start_s) - reach)
    return slice(first, int(np.ceil(FRAME_RATE_HZ * end_s)) + 1 + reach)


def _middle(start_s: float, end_s: float, frames: int) -> int:
    return min(frames - 1, int(FRAME_RATE_HZ / 2 * (start_s + end_s)))


def _amid(talking: np.ndarray) -> np.ndarray:
    """Frames that no pause is near, bool [T]."""
    window = 2 * _PAUSE_FRAMES + 1
    count = np.convolve(np.pad(talking, _PAUSE_FRAMES), np.ones(window), "valid")
    return count > window - 0.5


def _runs(mask: np.ndarray) -> List[Tuple[int, int]]:
    """First frame and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return list(zip(edges[::2], edges[1::2]))


def _judge(
    animate: Animate, language: str, said: Sequence[Tuple[np.ndarray, PhoneTimes]]
) -> Judgement:
    samples, phones = _joined(said)
    face = animate(samples)
    gap = lip_gap(face)
    talking = np.zeros(len(gap), bool)
    for start, end, phone in phones:
        first = int(FRAME_RATE_HZ * start)
        talking[first : int(FRAME_RATE_HZ * end) + 1] |= phone not in SILENCES
    reach = np.ones(_REST_BEFORE_FRAMES + _REST_AFTER_FRAMES + 1, bool)
    moves = np.convolve(talking, reach)[_REST_BEFORE_FRAMES:][: len(talking)]
    motion = float(gap[talking].std())
    return Judgement(
        language,
        sum(phone in CLOSED_PHONES for _, _, phone in phones),
        closing(gap, talking, phones),
        rounding(mouth_width(face), phones),
        motion,
        100 * float(gap[~moves.astype(bool)].std()) / motion,
    )


def _joined(said: Sequence[Tuple[np.ndarray, PhoneTimes]]) -> Tuple[np.ndarray, PhoneTimes]:
    """Recordings one after another, with a pause after each."""
    pieces = []
    phones: PhoneTimes = []
    at_s = 0.0
    for samples, known in said:
        phones += [(at_s + start, at_s + end, phone) for start, end, phone in known]
        pieces += [samples, np.zeros(int(SAMPLE_RATE_HZ * _PAUSE_S), np.float32)]
        at_s += len(samples) / SAMPLE_RATE_HZ + _PAUSE_S
    return np.concatenate(pieces), phones
