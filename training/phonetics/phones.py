"""Phones as lips show them: shapes of vowels, places and manners of consonants.

Phones are ARPAbet in lower case without stress, as flite prints them.
"""

import re

import numpy as np

FEATURES = (
    "open",
    "front",
    "round",
    "bilabial",
    "labiodental",
    "dental",
    "alveolar",
    "postalveolar",
    "velar",
    "glottal",
    "stop",
    "fricative",
    "nasal",
    "approximant",
    "lateral",
    "rhotic",
    "voiced",
    "vowel",
    "silence",
)
# vowels: openness, frontness and rounding, 0..1; diphthongs move from the first to the second
_VOWELS = {
    "aa": (1.0, 0.2, 0.1),
    "ae": (0.9, 0.9, 0.0),
    "ah": (0.7, 0.4, 0.1),
    "ao": (0.75, 0.1, 0.6),
    "ax": (0.5, 0.5, 0.1),
    "eh": (0.65, 0.8, 0.0),
    "er": (0.45, 0.5, 0.35),
    "ih": (0.3, 0.8, 0.0),
    "iy": (0.1, 1.0, 0.0),
    "uh": (0.35, 0.2, 0.6),
    "uw": (0.15, 0.1, 1.0),
    "ay": ((1.0, 0.4, 0.0), (0.25, 0.9, 0.0)),
    "aw": ((1.0, 0.5, 0.0), (0.35, 0.1, 0.8)),
    "ey": ((0.5, 0.9, 0.0), (0.2, 1.0, 0.0)),
    "ow": ((0.55, 0.2, 0.6), (0.25, 0.1, 0.9)),
    "oy": ((0.65, 0.1, 0.7), (0.25, 0.9, 0.0)),
}
_CONSONANTS = {
    "p": "bilabial stop",
    "b": "bilabial stop voiced",
    "m": "bilabial nasal voiced",
    "f": "labiodental fricative",
    "v": "labiodental fricative voiced",
    "th": "dental fricative",
    "dh": "dental fricative voiced",
    "t": "alveolar stop",
    "d": "alveolar stop voiced",
    "n": "alveolar nasal voiced",
    "s": "alveolar fricative",
    "z": "alveolar fricative voiced",
    "l": "alveolar approximant lateral voiced",
    "sh": "postalveolar fricative round",
    "zh": "postalveolar fricative round voiced",
    "ch": "postalveolar stop fricative round",
    "jh": "postalveolar stop fricative round voiced",
    "r": "alveolar approximant rhotic round voiced",
    "y": "approximant front voiced",
    "w": "approximant round velar voiced",
    "k": "velar stop",
    "g": "velar stop voiced",
    "ng": "velar nasal voiced",
    "hh": "glottal fricative",
}
PHONES = ("sil",) + tuple(_VOWELS) + tuple(_CONSONANTS)
SILENCES = ("sil", "pau", "sp", "")
# other spellings of ARPAbet, and what is no speech
_ALIASES = {
    "axr": "er",
    "ix": "ih",
    "dx": "d",
    "el": "l",
    "em": "m",
    "en": "n",
    "+spn+": "sil",
    "+nsn+": "sil",
    "brth": "sil",
    "h#": "sil",
    "ssil": "sil",
    "hv": "hh",
    "nx": "n",
    "ux": "uw",
}


def features_of(phone: str, part: float) -> np.ndarray:
    """Features of a phone at `part` (0..1) of its duration, float32 [len(FEATURES)]."""
    vector = np.zeros(len(FEATURES), np.float32)
    if phone in SILENCES:
        vector[FEATURES.index("silence")] = 1.0
    elif phone in _VOWELS:
        shape = np.array(_VOWELS[phone], np.float32)
        diphthong = shape.ndim == 2
        vector[:3] = shape[0] + part * (shape[1] - shape[0]) if diphthong else shape
        vector[FEATURES.index("vowel")] = 1.0
        vector[FEATURES.index("voiced")] = 1.0
    else:
        for name in _CONSONANTS[phone].split():
            vector[FEATURES.index(name)] = 1.0
    return vector


def phone_name(name: str) -> str:
    """ARPAbet of any spelling as a name in `PHONES`.

    :raises ValueError: it is no phone
    """
    name = re.sub(r"\d", "", name.lower())
    name = _ALIASES.get(name, name)
    if name not in _VOWELS and name not in _CONSONANTS and name not in SILENCES:
        raise ValueError(f"no phone: {name}")
    return name
