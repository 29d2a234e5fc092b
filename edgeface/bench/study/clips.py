"""Sound as long as the study's."""

from typing import List

import numpy as np

from ...core.rates import SAMPLE_RATE_HZ
from ...core.resources import BUNDLED_VOICE
from ...source.file import read_whole

RATE_HZ = 22050  # of the study's clips, so that the conversion is measured too
_SHORTEST_S = 2.37
_LONGEST_S = 10.73
_MEAN_S = 4.64
_SHARE_OF_MEAN = 0.2716  # of the way from the shortest to the longest, for a single clip


def clip_seconds(count: int) -> np.ndarray:
    """Lengths of so many clips with the study's extremes and mean, in s: float64 [count]."""
    share = np.linspace(0.0, 1.0, count) if count > 1 else np.array([_SHARE_OF_MEAN])
    # the mean of share ** power is 1 / (power + 1)
    power = (_LONGEST_S - _MEAN_S) / (_MEAN_S - _SHORTEST_S)
    return _SHORTEST_S + (_LONGEST_S - _SHORTEST_S) * share**power


def clips(count: int) -> List[np.ndarray]:
    """The bundled voice, again and again, cut to these lengths: float32 [N] at 22.05 kHz each."""
    voice = np.tile(read_whole(BUNDLED_VOICE), 4)
    at = np.arange(0, len(voice), SAMPLE_RATE_HZ / RATE_HZ)
    whole = np.interp(at, np.arange(len(voice)), voice).astype(np.float32)
    return [whole[: int(seconds * RATE_HZ)] for seconds in clip_seconds(count)]
