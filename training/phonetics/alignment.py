"""Forced alignment of a recording with its text, in any language that espeak-ng can spell."""

from typing import List, Optional, Sequence, Tuple

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ
from training.signal.fbank import fbank_of

from .acoustic_model import PhoneNet, likelihoods
from .espeak import IpaTimes, Speaker
from .ipa import phone_of_ipa
from .phones import SILENCES
from .timing import PhoneTimes
from .viterbi import Spelling, align

_WORST_FIT = -2.7  # log likelihood under the best possible; below, something else is said
_MOST_LEFT_OVER = 0.05  # share of the energy in no phone; above, a sound was taken for silence
_BEFORE_S = 0.03  # a phone's sound may begin so much before it
_AFTER_S = 0.06
_TOLERANCES_S = (0.02, 0.04)


def spelling(said: IpaTimes) -> Spelling:
    """What must be heard of what espeak-ng says.

    :raises ValueError: a phone that no shape is known for
    """
    found: Spelling = [("sil", True)]
    for start_s, end_s, name in said:
        phone = phone_of_ipa(name)
        if phone != "sil" and end_s > start_s:
            found.append((phone, False))
        elif phone == "sil" and name == "" and found[-1][0] != "sil" and end_s == start_s:
            found.append(("sil", True))
    return found if found[-1][0] == "sil" else found + [("sil", True)]


def spelled(speaker: Speaker, voice: str, text: str) -> Optional[Spelling]:
    """How a text sounds as espeak-ng reads it; None where no shape of a sound is known."""
    try:
        return spelling(speaker.say(voice, text)[1])
    except ValueError:
        return None


def respelled(phones: PhoneTimes) -> Spelling:
    """What must be heard where another aligner found `phones`."""
    found: Spelling = [("sil", True)]
    for _, _, phone in phones:
        if phone not in SILENCES:
            found.append((phone, False))
        elif found[-1][0] != "sil":
            found.append(("sil", True))
    return found if found[-1][0] == "sil" else found + [("sil", True)]


def aligned(model: PhoneNet, fbank: np.ndarray, wanted: Spelling) -> Optional[PhoneTimes]:
    """When which phone is in Fbank [T, 80]; None where something else is said."""
    found = align(likelihoods(model, fbank), wanted)
    if found is None:
        return None
    phones, fit = found
    return phones if fit > _WORST_FIT else None


def left_over(samples: np.ndarray, phones: PhoneTimes) -> float:
    """Share (0..1) of the energy of a sound that lies in no phone, nor right before or after one.

    :param samples: float32 [N] at 16 kHz
    """
    energy = samples.astype(np.float64) ** 2
    inside = np.zeros(len(samples), bool)
    for start_s, end_s, phone in phones:
        if phone not in SILENCES:
            first = max(0, int((start_s - _BEFORE_S) * SAMPLE_RATE_HZ))
            inside[first : int((end_s + _AFTER_S) * SAMPLE_RATE_HZ)] = True
    return float(energy[~inside].sum() / (energy.sum() + 1e-12))


def explains(phones: Optional[PhoneTimes], samples: np.ndarray) -> bool:
    """Whether phones were found, and hardly any of the sound lies outside of them."""
    if not phones:
        return False
    return left_over(samples, phones) <= _MOST_LEFT_OVER


def agreement(model: PhoneNet, pairs: Sequence[Tuple[np.ndarray, PhoneTimes]]) -> Tuple[float, ...]:
    """Shares (0..1) of phones that begin within 20 and within 40 ms of where they are known to.

    :param pairs: (samples float32 [N], known times) of each recording
    """
    off_s: List[float] = []
    for samples, phones in pairs:
        known = [start for start, _, phone in phones if phone not in SILENCES]
        found_there = align(likelihoods(model, fbank_of(samples)), respelled(phones))
        if found_there is None:
            continue
        found = [start for start, _, phone in found_there[0] if phone != "sil"]
        off_s += [abs(a - b) for a, b in zip(found, known)]
    return tuple(float(np.mean(np.array(off_s) <= limit_s)) for limit_s in _TOLERANCES_S)
