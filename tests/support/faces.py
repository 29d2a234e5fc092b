"""Frames and clips that tests compare."""

import os

import numpy as np

from edgeface.motion.frame import Frame

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")


def random_frame(k, flags=0):
    """The frame with index k of the tests of shared memory."""
    rng = np.random.RandomState(k % 1000)
    return Frame(
        k,
        rng.randn(68, 3).astype(np.float32),
        rng.rand(52).astype(np.float32),
        100.5,
        -20.25,
        flags,
        rng.randn(6).astype(np.float32),
        rng.randn(4).astype(np.float32),
    )
