"""Whispers, made of speech by the WORLD vocoder.

A whisper is more than speech whose voice is noise; what else differs is taken from measurements:

* unvoiced consonants are as loud as in speech (3.5 dB at most), voiced ones lose up to 25 dB
  (Jovicic and Saric 2008); so do vowels, about 20 dB on the whole
* the spectrum falls less: voiced sounds lose most below 1.5 kHz (Ito, Takeda and Itakura 2005)
* formants are higher, the first most, since the open glottis couples the trachea to the vocal tract
  (Morris and Clements 2002; Eklund and Traunmueller 1997), and all of them broader

Abstracts were read for the directions and for the loudness of consonants; the other numbers are
from memory or chosen within what was measured.
"""

import numpy as np

from .vocoder import Voice, frequencies, moved

# by how much voiced sounds are softer
_LOSS_HZ = (0, 300, 1000, 2000, 4000, 8000)
_LOSS_DB = (32, 28, 20, 13, 8, 6)
# where frequencies of speech lie in a whisper
_SPOKEN_HZ = (0, 300, 700, 1500, 2500, 4000, 8000)
_WHISPERED_HZ = (0, 390, 840, 1620, 2580, 4000, 8000)
_BROADER_HZ = 150
_VOICED = 0.5  # share of noise in the lowest bin, below which there is a voice
_FADE = 5  # steps of 5 ms, across which voiced sounds become unvoiced ones


def unvoiced(voice: Voice) -> np.ndarray:
    """Speech with noise instead of its voice and nothing else changed, float32 [N]."""
    return _breathed(voice, voice.log_envelope)


def whispered(voice: Voice) -> np.ndarray:
    """The same, whispered, float32 [N]."""
    hz = frequencies(voice.log_envelope)
    loss = np.interp(hz, _LOSS_HZ, _LOSS_DB) * np.log(10) / 10
    formants = moved(voice.log_envelope, _SPOKEN_HZ, _WHISPERED_HZ)
    softer = _broader(formants, int(_BROADER_HZ / hz[1])) - loss
    voiced = np.convolve(voice.noise[:, 0] < _VOICED, np.ones(_FADE) / _FADE, "same")[:, None]
    return _breathed(voice, (1 - voiced) * voice.log_envelope + voiced * softer)


def _breathed(voice: Voice, log_envelope: np.ndarray) -> np.ndarray:
    return voice.speak(np.zeros_like(voice.f0_hz), log_envelope, np.ones_like(voice.noise))


def _broader(log_envelope: np.ndarray, width: int) -> np.ndarray:
    """An envelope [T, B] with its power averaged over `width` bins."""
    before = width // 2
    padded = np.pad(np.exp(log_envelope), ((0, 0), (before, width - 1 - before)), "edge")
    total = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    return np.log((total[:, width:] - total[:, :-width]) / width)
