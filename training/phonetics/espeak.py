"""Speech of espeak-ng in any of its languages, with the time of every phone."""

import ctypes
from typing import List, Tuple

import numpy as np
import soxr

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

# of espeak-ng's speak_lib.h
_SYNCHRONOUS = 2
_PHONEME_EVENTS_IPA = 3
_UTF8 = 1
_PHONEME = 7
_WORD = 1
_END = 0
_FULL_SCALE = 32768

IpaTimes = List[Tuple[float, float, str]]
"""(start_s, end_s, phone in IPA, "" for a pause) of each."""


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Speaker:
    """The library of espeak-ng.

    :raises UnavailableError: it is not installed
    """

    def __init__(self):
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise UnavailableError(f"espeak-ng: {error}; apt install espeak-ng") from None
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IPA)
        self._pieces: List[np.ndarray] = []
        self._phones: List[Tuple[float, str]] = []
        self._word_begins = False
        self._callback = _CALLBACK(self._take)  # kept, or it is freed

    def _take(self, wave, count, events):
        if wave:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != _END:
            event = events[i]
            i += 1
            if event.type == _WORD:
                self._word_begins = True
            elif event.type == _PHONEME:
                at_s = event.audio_ms / 1000
                if self._word_begins:
                    self._phones.append((at_s, ""))
                    self._word_begins = False
                self._phones.append((at_s, event.name.decode(errors="replace")))
        return 0

    def say(self, voice: str, text: str) -> Tuple[np.ndarray, IpaTimes]:
        """Sound float32 [N] at 16 kHz, and when which phone is in it.

        Every word begins with a pause, which may last 0 s: other talkers pause there.

        :param voice: such as `de` or, by another talker, `de+f3`
        :raises UnavailableError: espeak-ng has no such voice
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise UnavailableError(f"espeak-ng has no voice {voice}")
        self._library.espeak_SetSynthCallback(self._callback)  # of which the library has one
        self._pieces = []
        self._phones = []
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        samples = np.concatenate(self._pieces).astype(np.float32) / _FULL_SCALE
        ends = [start for start, _ in self._phones[1:]] + [len(samples) / self._rate_hz]
        phones = [(start, end, name.lstrip("_|")) for (start, name), end in zip(self._phones, ends)]
        return soxr.resample(samples, self._rate_hz, SAMPLE_RATE_HZ).astype(np.float32), phones
