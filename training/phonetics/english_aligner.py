"""Forced alignment of English, by pocketsphinx."""

import re
from typing import List, Optional

import numpy as np

from .phones import phone_name
from .timing import PhoneTimes

_FULL_SCALE = 32767
_FRAMES_A_SECOND = 100  # of pocketsphinx


class EnglishAligner:
    """Forced alignment with pocketsphinx's own model."""

    def __init__(self):
        from pocketsphinx import Config, Decoder  # needed for nothing else

        self._decoder = Decoder(Config(lm=None, loglevel="FATAL"))

    def align_text(self, samples: np.ndarray, text: str) -> Optional[PhoneTimes]:
        """When which phone of `text` is in float32 [N] at 16 kHz; None where that is unknown."""
        return self.align(samples, re.findall(r"[a-z']+", text.lower()))

    def align(self, samples: np.ndarray, words: List[str]) -> Optional[PhoneTimes]:
        """When which phone of lower-case `words` is spoken.

        :param samples: float32 [N], 16 kHz
        :return: None when a word is unknown or nothing fits
        """
        decoder = self._decoder
        sound = np.round(samples * _FULL_SCALE).astype(np.int16).tobytes()
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
        found = []
        for phone in alignment.phones():
            start_s = phone.start / _FRAMES_A_SECOND
            end_s = (phone.start + phone.duration) / _FRAMES_A_SECOND
            found.append((start_s, end_s, phone_name(phone.name)))
        return found

    def _decode(self, sound: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()
