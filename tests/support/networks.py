"""The original networks' numbers with random weights, which come from seeds; needs torch."""

import zlib

import numpy as np
import torch

from edgeface.model.window import pitch_bins

TOLERANCE = 1e-5
VARIANTS = ("pp_pitch", "pp_pitch_eye", "pp_plain", "v1_pitch", "v1_plain")


def weights(numbers, name):
    """The state dict that the original module was given."""
    make = fasthubert_weight if name == "fasthubert" else audio2motion_weight
    return {
        key: torch.from_numpy(np.array(make(key, shape), np.float32))
        for key, shape in numbers["shapes"][name].items()
    }


def bins(f0_hz):
    return torch.from_numpy(pitch_bins(f0_hz.numpy()))


def noise(key, shape):
    return np.random.Generator(
        np.random.PCG64(zlib.crc32(key.encode()) ^ 20261123)
    ).standard_normal(shape)


def fasthubert_weight(key, shape):
    x = noise(key, shape)
    if key.endswith("weight_g"):
        return 0.5 + 0.1 * np.abs(x)
    if "layer_norm" in key and key.endswith(".weight"):
        return 1 + 0.1 * x
    return 0.05 * x if key.endswith("bias") or len(shape) == 1 else x / np.sqrt(np.prod(shape[1:]))


def audio2motion_weight(key, shape):
    if key.endswith("num_batches_tracked"):
        return 0
    x = noise(key, shape)
    for end, value in (
        ("weight_g", 0.7 + 0.1 * np.abs(x)),
        ("running_var", 0.5 + 0.2 * np.abs(x)),
        ("running_mean", 0.05 * x),
        (".1.weight", 1 + 0.1 * x),
    ):
        if key.endswith(end) and (end != ".1.weight" or len(shape) == 1):
            return value
    if key.endswith("bias") or len(shape) == 1:
        return 0.05 * x
    return 0.1 * x if "embed" in key else x / np.sqrt(np.prod(shape[1:]))
