"""When phones are spoken, as features, labels and speech activity over time."""

from typing import List, Optional, Sequence, Tuple

import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ

from .phones import FEATURES, PHONES, SILENCES, features_of

SUBFRAMES = 4  # features per face frame
_SHORTEST_S = 1e-3  # of a phone, so that no duration is 0

PhoneTimes = List[Tuple[float, float, str]]
"""(start_s, end_s, phone) of each phone, in order; gaps are silence."""


def _times_s(frames: int) -> np.ndarray:
    # a face frame shows a moment: its subframes lie around its time, not after it
    return (np.arange(frames * SUBFRAMES) - (SUBFRAMES - 1) / 2) / FRAME_RATE_HZ / SUBFRAMES


def phone_labels(phones: PhoneTimes, frames: int) -> np.ndarray:
    """Index into `PHONES` over time, uint8 [frames, SUBFRAMES]."""
    times = _times_s(frames)
    labels = np.zeros(frames * SUBFRAMES, np.uint8)  # PHONES begins with silence
    for start_s, end_s, phone in phones:
        if phone not in SILENCES:
            labels[(times >= start_s) & (times < end_s)] = PHONES.index(phone)
    return labels.reshape(frames, SUBFRAMES)


def phone_shares(labels: np.ndarray) -> np.ndarray:
    """Share of each phone in each frame: labels of `phone_labels` [T, n] to float32 [T, P]."""
    return np.eye(len(PHONES), dtype=np.float32)[labels].mean(1)


SILENCE = phone_shares(np.zeros((1, 1), np.uint8))


def phone_features(phones: PhoneTimes, frames: int) -> np.ndarray:
    """Features over time, float32 [frames, SUBFRAMES * len(FEATURES)]."""
    times = _times_s(frames)
    features = np.tile(features_of("sil", 0.0), (len(times), 1))
    for start_s, end_s, phone in phones:
        duration_s = max(end_s - start_s, _SHORTEST_S)
        for at in np.flatnonzero((times >= start_s) & (times < end_s)):
            features[at] = features_of(phone, (times[at] - start_s) / duration_s)
    return features.reshape(frames, SUBFRAMES * len(FEATURES))


def speaking(phones: PhoneTimes, frames: int) -> np.ndarray:
    """Speech activity of each frame, float32 [frames]."""
    active = np.zeros(frames, np.float32)
    for start_s, end_s, phone in phones:
        if phone not in SILENCES:
            first = int(start_s * FRAME_RATE_HZ)
            active[first : int(np.ceil(end_s * FRAME_RATE_HZ))] = 1.0
    return active


def one_after_another(phones: Sequence[Optional[PhoneTimes]], frames: Sequence[int]) -> PhoneTimes:
    """Phones of clips that follow each other.

    :param phones: of each clip, None where unknown
    :param frames: number of frames of each clip
    """
    begins_s = np.cumsum([0, *frames]) / FRAME_RATE_HZ
    return [
        (at_s + start, at_s + end, phone)
        for at_s, said in zip(begins_s, phones)
        for start, end, phone in said or ()
    ]
