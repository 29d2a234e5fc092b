"""How a bundle's lips follow other languages: closures, rounding, energy of motion and rest."""

import numpy as np

from .corpus import lip_gap, mouth_width
from .languages import SENTENCES, Speaker

_PAUSE_S = 1.0
_CLOSED = ("p", "b", "m")
_ROUND, _SPREAD = ("u", "o", "ɔ", "y", "ʊ", "ø"), ("i", "e", "ɛ", "ɪ", "a")


def judge(animate):
    """Rows (language, closures, rounding, motion, rest) of what espeak-ng says.

    `closures`: share of p, b and m at which the gap falls below 15 % of its range in speech within a frame;
    `rounding`: how often a rounded vowel's mouth is narrower than a spread vowel's, 0.5 by chance; `motion`: deviation
    of the gap in speech, in units of English's; `rest`: that in the pauses, in % of speech.

    :param animate: float32 [N] to landmarks [T, 68, 3]
    """
    speaker, rows, english = Speaker(), [], None
    for language, sentences in SENTENCES.items():
        pieces, phones, at_s = [], [], 0.0
        for sentence in sentences:
            samples, said = speaker.say(language, sentence)
            phones += [(at_s + start, at_s + end, name.rstrip("ː")) for start, end, name in said]
            pieces += [samples, np.zeros(int(16000 * _PAUSE_S), np.float32)]
            at_s += len(samples) / 16000 + _PAUSE_S
        face = animate(np.concatenate(pieces))
        gap, width = lip_gap(face), mouth_width(face)
        talking = np.zeros(len(gap), bool)
        for start, end, name in phones:
            talking[int(25 * start):int(25 * end) + 1] |= bool(name)
        low, high = np.percentile(gap[talking], (1, 99))
        closed = [gap[max(0, int(25 * start) - 1):int(np.ceil(25 * end)) + 2].min() < low + 0.15 * (high - low)
                  for start, end, name in phones if name in _CLOSED]
        middle = [(name, width[min(len(width) - 1, int(12.5 * (start + end)))]) for start, end, name in phones]
        narrow = np.array([w for name, w in middle if name in _ROUND])
        wide = np.array([w for name, w in middle if name in _SPREAD])
        motion = float(gap[talking].std())
        english = english or motion
        # half a second after the last phone nothing moves any more
        resting = ~np.convolve(talking, np.ones(13, bool))[:len(talking)].astype(bool)
        rows.append((language, float(np.mean(closed)), float((narrow[:, None] < wide[None]).mean()), motion / english,
                     100 * float(gap[resting].std()) / motion))
    return rows
