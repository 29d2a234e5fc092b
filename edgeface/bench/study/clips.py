"""Sound as long as the study's."""

import numpy as np

from ...core.resources import BUNDLED_VOICE
from ...source.file import read_whole

RATE_HZ = 22050  # of the study's clips, so that the conversion is measured too
_SHORTEST_S, _LONGEST_S, _MEAN_S = 2.37, 10.73, 4.64


def clip_seconds(count):
    """Lengths of so many clips with the study's extremes and mean, s: float array."""
    share = np.linspace(0.0, 1.0, count) if count > 1 else np.array([0.2716])
    power = (_LONGEST_S - _MEAN_S) / (
        _MEAN_S - _SHORTEST_S
    )  # mean of share ** power is 1 / (power + 1)
    return _SHORTEST_S + (_LONGEST_S - _SHORTEST_S) * share**power


def clips(count):
    """The bundled voice, again and again, cut to these lengths: list of float32 [N] at 22.05 kHz."""
    voice = np.tile(read_whole(BUNDLED_VOICE), 4)
    whole = np.interp(
        np.arange(0, len(voice), 16000 / RATE_HZ), np.arange(len(voice)), voice
    ).astype(np.float32)
    return [whole[: int(seconds * RATE_HZ)] for seconds in clip_seconds(count)]
