"""Phones: what lips and jaw do for them, and when they are spoken.

Phones are ARPAbet in lower case without stress, as flite prints them.
"""

import re

import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ

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
SUBFRAMES = 4  # features per face frame

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


def _vector(phone, part):
    """Features of a phone at `part` (0..1) of its duration, float32 [len(FEATURES)]."""
    vector = np.zeros(len(FEATURES), np.float32)
    if phone in SILENCES:
        vector[FEATURES.index("silence")] = 1.0
    elif phone in _VOWELS:
        shape = np.array(_VOWELS[phone], np.float32)
        vector[:3] = shape if shape.ndim == 1 else shape[0] + part * (shape[1] - shape[0])
        vector[FEATURES.index("vowel")] = vector[FEATURES.index("voiced")] = 1.0
    else:
        for name in _CONSONANTS[phone].split():
            vector[FEATURES.index(name)] = 1.0
    return vector


def phone_name(name):
    """ARPAbet of any spelling to the names here; ValueError for what is no phone."""
    name = re.sub(r"\d", "", name.lower())
    name = {
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
    }.get(name, name)
    if name not in _VOWELS and name not in _CONSONANTS and name not in SILENCES:
        raise ValueError(f"no phone: {name}")
    return name


# nearest shapes of lips and jaw; marks of length, stress and nasality do not move them
_IPA_VOWELS = {
    "a": "aa",
    "ɑ": "aa",
    "ɐ": "ah",
    "ɒ": "ao",
    "ʌ": "ah",
    "æ": "ae",
    "ə": "ax",
    "ɘ": "ax",
    "ɨ": "ih",
    "ᵻ": "ih",
    "ɪ": "ih",
    "i": "iy",
    "e": "ey",
    "ɛ": "eh",
    "ɜ": "er",
    "ɚ": "er",
    "ɔ": "ao",
    "o": "ow",
    "œ": "uh",
    "ø": "uh",
    "ɵ": "uh",
    "ʊ": "uh",
    "u": "uw",
    "y": "uw",
    "ʉ": "uw",
    "ʏ": "uh",
    "ɯ": "ih",
    # what espeak-ng 1.51 writes: a Greek letter in Danish, and the vowel of German "durch"
    "ε": "eh",
    "?": "uh",
}
_IPA_CONSONANTS = {
    "p": "p",
    "b": "b",
    "m": "m",
    "f": "f",
    "v": "v",
    "θ": "th",
    "ð": "dh",
    "t": "t",
    "d": "d",
    "n": "n",
    "s": "s",
    "z": "z",
    "l": "l",
    "ɫ": "l",
    "ɭ": "l",
    "ʎ": "l",
    "ʃ": "sh",
    "ʒ": "zh",
    "ɕ": "sh",
    "ʑ": "zh",
    "ʂ": "sh",
    "ʐ": "zh",
    "ɹ": "r",
    "r": "hh",
    "ɾ": "d",
    "ʁ": "hh",
    "ʀ": "hh",
    "j": "y",
    "ʝ": "y",
    "w": "w",
    "ʋ": "v",
    "k": "k",
    "ɡ": "g",
    "c": "t",
    "ɟ": "d",
    "β": "v",
    "ʲ": "y",
    "ŋ": "ng",
    "ɲ": "n",
    "h": "hh",
    "x": "hh",
    "ç": "hh",
    "χ": "hh",
    "ɣ": "hh",
    "ɦ": "hh",
}
_IPA_DIPHTHONGS = {
    "aɪ": "ay",
    "aʊ": "aw",
    "eɪ": "ey",
    "ɛɪ": "ey",
    "oʊ": "ow",
    "əʊ": "ow",
    "ʌʊ": "ow",
    "ɔɪ": "oy",
    "oɪ": "oy",
    "dʒ": "jh",
    "tʃ": "ch",
    "ɔʏ": "oy",
    "ɔø": "oy",
}


def phone_of_ipa(name):
    """The nearest of the phones here to one of IPA; ValueError where none is near."""
    name = name.lstrip("ʔ")  # glottal stops move no lips
    if not name or name.startswith("("):  # a pause, or another language begins
        return "sil"
    if name[:2] in _IPA_DIPHTHONGS:
        return _IPA_DIPHTHONGS[name[:2]]
    found = _IPA_VOWELS.get(name[0]) or _IPA_CONSONANTS.get(name[0])
    if found is None:
        raise ValueError(f"no phone: {name}")
    return {"ey": "eh", "ow": "ao"}.get(found, found) if len(name) == 1 else found


def _times_s(frames):
    # a face frame shows a moment: its subframes lie around its time, not after it
    return (np.arange(frames * SUBFRAMES) - (SUBFRAMES - 1) / 2) / FRAME_RATE_HZ / SUBFRAMES


def phone_labels(phones, frames):
    """Index into `PHONES` over time, uint8 [frames, SUBFRAMES]; takes what `phone_features` takes."""
    times, labels = (
        _times_s(frames),
        np.zeros(frames * SUBFRAMES, np.uint8),
    )  # PHONES begins with silence
    for start_s, end_s, phone in phones:
        if phone not in SILENCES:
            labels[(times >= start_s) & (times < end_s)] = PHONES.index(phone)
    return labels.reshape(frames, SUBFRAMES)


def shares(labels):
    """Of each phone in each frame: labels of `phone_labels` [T, n] to float32 [T, P]."""
    return np.eye(len(PHONES), dtype=np.float32)[labels].mean(1)


SILENCE = shares(np.zeros((1, 1), np.uint8))


def phone_features(phones, frames):
    """Features over time.

    :param phones: list of (start_s, end_s, phone), in order; gaps are silence
    :return: float32 [frames, SUBFRAMES * len(FEATURES)]
    """
    times = _times_s(frames)
    features = np.tile(_vector("sil", 0.0), (len(times), 1))
    for start_s, end_s, phone in phones:
        inside = np.flatnonzero((times >= start_s) & (times < end_s))
        for at in inside:
            features[at] = _vector(phone, (times[at] - start_s) / max(end_s - start_s, 1e-3))
    return features.reshape(frames, -1)


def speaking(phones, frames):
    """Speech activity of each frame, float32 [frames]."""
    active = np.zeros(frames, np.float32)
    for start_s, end_s, phone in phones:
        if phone not in SILENCES:
            active[int(start_s * FRAME_RATE_HZ) : int(np.ceil(end_s * FRAME_RATE_HZ))] = 1.0
    return active


class Aligner:
    """Forced alignment of English with pocketsphinx's own model."""

    def __init__(self):
        from pocketsphinx import Config, Decoder

        self._decoder = Decoder(Config(lm=None, loglevel="FATAL"))

    def align(self, samples, words):
        """Phones of an utterance.

        :param samples: int16 [N], 16 kHz
        :param words: list of lower-case words
        :return: list of (start_s, end_s, phone); None when a word is unknown or nothing fits
        """
        decoder, sound = self._decoder, samples.tobytes()
        if not words or any(decoder.lookup_word(word) is None for word in words):
            return None
        try:
            decoder.set_align_text(" ".join(words))
            self._decode(sound)
            decoder.set_alignment()
            self._decode(sound)
            alignment = decoder.get_alignment()
        except RuntimeError:
            return None
        if alignment is None:
            return None
        return [
            (p.start / 100, (p.start + p.duration) / 100, phone_name(p.name))
            for p in alignment.phones()
        ]

    def _decode(self, sound):
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()
