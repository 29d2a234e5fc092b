"""How phones sound: their spectrum relative to what the talker's speech has on average.

Phones alone do not say how wide a mouth opens for them: the same vowel is shouted, mumbled and
swallowed. A wider mouth raises the first formant, in everybody's voice.
"""

import numpy as np

from edgeface.features.fbank import FBANK_PER_FRAME
from training.phonetics.timing import PhoneTimes, speaking
from training.signal.fbank import fbank_of

BANDS = 8
FLOOR = -8.0  # of the Fbank: digital silence is an outlier, and stays within a few deviations so
UNIT = 3.0  # natural logarithms that count as 1
_FARTHEST = 2.0


def timbre(samples: np.ndarray, phones: PhoneTimes) -> np.ndarray:
    """Timbre over time, float32 [T, BANDS], whatever the level and the microphone.

    :param samples: float32 [640 T], 16 kHz
    """
    fbank = np.maximum(fbank_of(samples), FLOOR)
    bands = fbank.reshape(-1, FBANK_PER_FRAME, BANDS, fbank.shape[1] // BANDS).mean((1, 3))
    spoken = speaking(phones, len(bands)) > 0
    average = bands[spoken if spoken.any() else slice(None)].mean(0)
    return np.clip((bands - average) / UNIT, -_FARTHEST, _FARTHEST).astype(np.float32)
