"""Figures about faces beside the tracked ones."""

from typing import List, Sequence, Tuple

import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from edgeface.motion.face import MOUTH, lip_gap
from edgeface.pipeline import Pipeline
from training.data.correlation import correlation, lip_correlations
from training.data.grid import Clip

from .animation import animate

_AT_REST = 0.1  # of the gap's deviation in speech
_SILENCE_S = 2
_EXTREME = 99.9  # percentile


def each_correlation(
    faces: Sequence[np.ndarray], clips: Sequence[Clip]
) -> Tuple[List[float], List[float]]:
    """Correlations of every clip with the tracked face: of gap and of width.

    :param faces: landmarks [T, 68, 3] of every clip
    """
    both = [lip_correlations(face, clip.landmarks) for face, clip in zip(faces, clips)]
    return [gap for gap, _ in both], [width for _, width in both]


def correlations(faces: Sequence[np.ndarray], clips: Sequence[Clip]) -> Tuple[float, float]:
    """Means of `each_correlation`: gap, width."""
    gaps, widths = each_correlation(faces, clips)
    return float(np.mean(gaps)), float(np.mean(widths))


def spoken_correlation(faces: Sequence[np.ndarray], clips: Sequence[Clip]) -> float:
    """Mean correlation of the lip gap from a clip's first word on.

    How its mouth opens before that is often inaudible.
    """
    found = []
    for face, clip in zip(faces, clips):
        begin = int(np.argmax(clip.speech > 0))
        found.append(correlation(lip_gap(face[begin:]), lip_gap(clip.landmarks[begin:])))
    return float(np.mean(found))


def stillness(
    pipeline: Pipeline, sounds: Sequence[np.ndarray], speech_deviation: float
) -> List[float]:
    """Deviation of the lip gap over that in speech, for each sound of `robustness.no_speech`."""
    return [
        float(lip_gap(animate(pipeline, sound))[FRAME_RATE_HZ:].std() / speech_deviation)
        for sound in sounds
    ]


def rest_after_speech_s(
    pipeline: Pipeline, clip: Clip, neutral: np.ndarray, speech_deviation: float
) -> float:
    """Seconds from the cut of running speech to digital silence until the lips rest for good."""
    at = len(clip.samples) // 2
    silence = np.zeros(_SILENCE_S * SAMPLE_RATE_HZ, np.float32)
    face = animate(pipeline, np.concatenate((clip.samples[:at], silence)))
    off_rest = np.abs(lip_gap(face) - lip_gap(neutral)) > _AT_REST * speech_deviation
    moving = np.flatnonzero(off_rest)
    if not len(moving):
        return 0.0
    return max(0.0, (moving[-1] + 1) / FRAME_RATE_HZ - at / SAMPLE_RATE_HZ)


def extremes(faces: Sequence[np.ndarray]) -> Tuple[float, float]:
    """99.9th percentiles of landmark speed and acceleration of the lips, in units a frame."""
    speed, acceleration = (
        np.concatenate(
            [np.linalg.norm(np.diff(f[:, MOUTH], n=n, axis=0), axis=-1).ravel() for f in faces]
        )
        for n in (1, 2)
    )
    return np.percentile(speed, _EXTREME), np.percentile(acceleration, _EXTREME)
