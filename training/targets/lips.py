"""Lips that meet where a phone is made with them."""

import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ
from training.phonetics.timing import PhoneTimes

CLOSED_PHONES = ("p", "b", "m")
# inner and outer points of the lips that meet, upper and lower
_MEETING = (((61, 50), (67, 58)), ((62, 51), (66, 57)), ((63, 52), (65, 56)))
_BESIDE = 0.4  # how far the lips are on their way 40 ms before and after
_FRAME_S = 1 / FRAME_RATE_HZ


def close_lips(face: np.ndarray, phones: PhoneTimes) -> np.ndarray:
    """Makes the lips meet in every p, b and m; fitted motion smooths short ones away.

    :param face: float32 [T, 68, 3], changed in place
    """
    share = _closed(phones, len(face))
    for upper, lower in _MEETING:
        half = share[:, None] * (face[:, upper[0]] - face[:, lower[0]]) / 2
        for point in upper:
            face[:, point] -= half
        for point in lower:
            face[:, point] += half
    return face


def _closed(phones: PhoneTimes, frames: int) -> np.ndarray:
    """How far lips are closed, 0 to 1, float32 [frames]."""
    share = np.zeros(frames, np.float32)
    time_s = np.arange(frames) / FRAME_RATE_HZ
    for start_s, end_s, phone in phones:
        if phone in CLOSED_PHONES:
            half_s = max((end_s - start_s) / 2, 0.5 / FRAME_RATE_HZ)
            outside_s = np.abs(time_s - (start_s + end_s) / 2) - half_s
            beside = np.where(outside_s < _FRAME_S, _BESIDE, 0.0)
            share = np.maximum(share, np.where(outside_s <= 0, 1.0, beside))
    return share
