"""Raised voices, made of speech by the WORLD vocoder.

Who speaks up is higher, brighter and opens the jaw: F0 rises by up to an octave, levels rise most
at high frequencies (Andersson, Eriksson and Traunmueller 1996; Traunmueller and Eriksson 2000), the
first formant by 50 Hz where the level rises by 12 dB (Di Benedetto and Lienard 1994). Abstracts
were read.
"""

import numpy as np

from .vocoder import Voice, frequencies, moved

_BRIGHTER_DB = 6  # an octave
_FROM_HZ = 1000
# where frequencies of speech lie in a raised voice: the first formant is 12 % higher
_SPOKEN_HZ = (0, 300, 800, 1500, 2500, 8000)
_RAISED_HZ = (0, 336, 896, 1560, 2500, 8000)


def higher(voice: Voice, pitch: float, variation: float) -> np.ndarray:
    """F0 in Hz of a higher and livelier voice, 0 where there is none, [T].

    :param pitch: factor on its median
    :param variation: factor on the octaves by which it differs from that
    """
    voiced = voice.f0_hz > 0
    if not voiced.any():
        return voice.f0_hz
    median = np.median(voice.f0_hz[voiced])
    factor = np.where(voiced, voice.f0_hz, median) / median
    return np.where(voiced, pitch * median * factor**variation, 0.0)


def brighter(log_envelope: np.ndarray) -> np.ndarray:
    """An envelope [T, B] that rises by 6 dB an octave above 1 kHz."""
    octaves = np.log2(np.maximum(frequencies(log_envelope), _FROM_HZ) / _FROM_HZ)
    return log_envelope + _BRIGHTER_DB * octaves * np.log(10) / 10


def wider_open(log_envelope: np.ndarray) -> np.ndarray:
    """An envelope [T, B] with a first formant that is 12 % higher."""
    return moved(log_envelope, _SPOKEN_HZ, _RAISED_HZ)
