"""Level of speech: of the loud half of its frames, so that pauses do not count."""

from typing import Any

import numpy as np
import torch

from edgeface.core.rates import HOP_SAMPLES

_TINY = 1e-12  # power of digital silence


def decibels(db: Any) -> Any:
    """Factor on amplitudes of a gain in dB, a number, an array or a tensor."""
    return 10 ** (db / 20)


def level_db(samples: np.ndarray) -> float:
    """Level of a sound in dB: mean power of the frames that are not below the median.

    :param samples: float32 [N] at 16 kHz; what is left after whole frames does not count
    """
    whole = samples[: len(samples) // HOP_SAMPLES * HOP_SAMPLES]
    power = (whole.reshape(-1, HOP_SAMPLES) ** 2).mean(1)
    return 10 * np.log10(power[power >= np.median(power)].mean() + _TINY)


def levels_db(sounds: torch.Tensor) -> torch.Tensor:
    """`level_db` of many sounds at once, on any device; one frame more counts of an even number.

    :param sounds: [B, 640 T]
    :return: dB [B]
    """
    power = sounds.reshape(len(sounds), -1, HOP_SAMPLES).square().mean(-1)
    loud = power >= power.median(-1, keepdim=True).values
    return 10 * torch.log10((power * loud).sum(-1) / loud.sum(-1) + _TINY)
