"""How phones sound: their spectrum relative to what the talker's speech has on average.

Phones alone do not say how wide a mouth opens for them: the same vowel is shouted, mumbled and swallowed. A wider mouth
raises the first formant, in everybody's voice.
"""

import numpy as np

from .fbank import fbank_of
from .network import FBANK_PER_FRAME
from .phones import speaking

BANDS = 8
_FLOOR = -8.0  # of the Fbank, as `train.statistics` has it
UNIT = 3.0  # natural logarithms that count as 1
_FARTHEST = 2.0


def timbre(samples, phones):
    """Timbre over time, float32 [T, BANDS], whatever the level and the microphone.

    :param samples: float32 [640 T], 16 kHz
    :param phones: list of (start_s, end_s, phone)
    """
    fbank = np.maximum(fbank_of(samples), _FLOOR)
    bands = fbank.reshape(-1, FBANK_PER_FRAME, BANDS, fbank.shape[1] // BANDS).mean((1, 3))
    spoken = speaking(phones, len(bands)) > 0
    average = bands[spoken if spoken.any() else slice(None)].mean(0)
    return np.clip((bands - average) / UNIT, -_FARTHEST, _FARTHEST).astype(np.float32)
