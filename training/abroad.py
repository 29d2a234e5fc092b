"""How a bundle's lips follow other languages and people: closures, rounding, energy of motion and rest."""

import json
from pathlib import Path

import numpy as np
import soundfile

from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES

from .animate import moved
from .corpus import lip_gap, mouth_width
from .languages import SENTENCES, Speaker
from .phones import SILENCES, phone_of_ipa

_PAUSE_S = 1.0
_RECORDINGS = 60  # of a language, here and there among all
_LONG = 50  # frames of what a correlation means something for
_CLOSED = ("p", "b", "m")
_OPEN = ("aa", "ae", "ah", "ay", "aw", "eh")
_ROUND, _SPREAD = ("uw", "uh", "ow", "ao"), ("iy", "ih", "ey", "eh", "aa")


def synthetic():
    """What espeak-ng says: language to a list of (samples, list of (start_s, end_s, phone))."""
    speaker, found = Speaker(), {}
    for language, sentences in SENTENCES.items():
        found[language] = []
        for sentence in sentences:
            samples, said = speaker.say(language, sentence)
            found[language].append(
                (samples, [(start, end, phone_of_ipa(name)) for start, end, name in said])
            )
    return found


def recorded(cache):
    """What people say in the recordings that `align` kept from the training, as `synthetic`."""
    paths, found = {}, {}
    for path in sorted(Path(cache, "judged").glob("human-*.json")):
        paths.setdefault(path.name.split("-")[1], []).append(path)
    for language, kept in paths.items():
        chosen = np.linspace(0, len(kept) - 1, min(len(kept), _RECORDINGS)).astype(int)
        found[language] = [
            (
                soundfile.read(str(path.with_suffix(".flac")), dtype="float32")[0],
                [tuple(phone) for phone in json.loads(path.read_text())],
            )
            for path in (kept[at] for at in chosen)
        ]
    return found


def judge(animate, spoken):
    """Rows (language, count, closures, shut, strays, rounding, motion, rest).

    `count`: how many p, b and m there are; `closures`: share of them at which the gap falls below 15 % of its range
    in speech within a frame; `shut`: share of open vowels in whose middle it does so too; `strays`: how often
    a minute of speech it does so farther than two frames from any p, b or m, and 0.2 s from a pause; `rounding`: how
    often a rounded vowel's mouth is narrower than a spread vowel's, 0.5 by chance; `motion`: deviation of the gap in
    speech; `rest`: that in the pauses, but for half a second after a phone and 0.2 s before one, in % of speech.

    :param animate: float32 [N] to landmarks [T, 68, 3]
    :param spoken: of `synthetic`, `recorded` or `readers.read_aloud`
    """
    return [(language,) + _follow(animate, said) for language, said in spoken.items()]


def alike(animate, model, spoken):
    """Rows (language, recordings, gap, width): mean correlations with `animate.moved` on the same recordings.

    :param animate: float32 [N] to landmarks [T, 68, 3]
    :param model: an `animate.PhoneToMotion`
    :param spoken: of `synthetic`, `recorded` or `readers.read_aloud`
    """
    rows = []
    for language, said in spoken.items():
        found = []
        for samples, phones in said:
            frames = len(samples) // HOP_SAMPLES
            if frames >= _LONG:
                heard = samples[: frames * HOP_SAMPLES]
                pair = animate(heard), moved(model, heard, phones)[0]
                found.append(
                    [np.corrcoef(*map(measure, pair))[0, 1] for measure in (lip_gap, mouth_width)]
                )
        rows.append((language, len(found), *np.mean(found, axis=0)))
    return rows


def one_after_another(phones, frames):
    """Phones of clips that follow each other: one list of (start_s, end_s, phone).

    :param phones: for each clip, list of (start_s, end_s, phone), or None where unknown
    :param frames: number of frames of each clip
    """
    begins_s = np.cumsum([0, *frames]) / FRAME_RATE_HZ
    return [
        (at_s + start, at_s + end, phone)
        for at_s, said in zip(begins_s, phones)
        for start, end, phone in said or ()
    ]


def closing(gap, talking, phones):
    """(closures, shut, strays), see `judge`.

    :param gap: of the lips, [T]
    :param talking: which frames are speech, bool [T]
    :param phones: list of (start_s, end_s, phone)
    """
    low, high = np.percentile(gap[talking], (1, 99))
    closed = gap < low + 0.15 * (high - low)
    meet = [
        closed[max(0, int(25 * start) - 1) : int(np.ceil(25 * end)) + 2].any()
        for start, end, phone in phones
        if phone in _CLOSED
    ]
    shut = [
        closed[min(len(gap) - 1, int(12.5 * (start + end)))]
        for start, end, phone in phones
        if phone in _OPEN
    ]
    near = np.zeros(len(gap), bool)
    amid = np.convolve(np.pad(talking, 5), np.ones(11), "valid") > 10.5
    for start, end, phone in phones:
        if phone in _CLOSED:
            near[max(0, int(25 * start) - 2) : int(np.ceil(25 * end)) + 3] = True
    edges = np.flatnonzero(np.diff(np.concatenate(([False], closed & amid, [False]))))
    strays = sum(not near[begin:end].any() for begin, end in zip(edges[::2], edges[1::2]))
    return (
        float(np.mean(meet)),
        float(np.mean(shut)),
        60 * FRAME_RATE_HZ * strays / max(1, amid.sum()),
    )


def rounding(width, phones):
    """How often a rounded vowel's mouth is narrower than a spread vowel's, see `judge`.

    :param width: of the mouth, [T]
    """
    middle = [
        (phone, width[min(len(width) - 1, int(12.5 * (start + end)))])
        for start, end, phone in phones
    ]
    narrow = np.array([at for phone, at in middle if phone in _ROUND])
    wide = np.array([at for phone, at in middle if phone in _SPREAD])
    return float((narrow[:, None] < wide[None]).mean())


def _follow(animate, said):
    pieces, phones, at_s = [], [], 0.0
    for samples, known in said:
        phones += [(at_s + start, at_s + end, phone) for start, end, phone in known]
        pieces += [samples, np.zeros(int(16000 * _PAUSE_S), np.float32)]
        at_s += len(samples) / 16000 + _PAUSE_S
    face = animate(np.concatenate(pieces))
    gap, width = lip_gap(face), mouth_width(face)
    talking = np.zeros(len(gap), bool)
    for start, end, phone in phones:
        talking[int(25 * start) : int(25 * end) + 1] |= phone not in SILENCES
    closed, shut, strays = closing(gap, talking, phones)
    motion = float(gap[talking].std())
    # half a second after a phone nothing moves any more; 0.2 s before one lips may open already
    resting = ~np.convolve(talking, np.ones(18, bool))[5 : 5 + len(talking)].astype(bool)
    return (
        sum(phone in _CLOSED for _, _, phone in phones),
        closed,
        shut,
        strays,
        rounding(width, phones),
        motion,
        100 * float(gap[resting].std()) / motion,
    )
