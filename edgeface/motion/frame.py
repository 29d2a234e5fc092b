"""One face frame."""

from typing import NamedTuple

import numpy as np

# flags of the shared-memory slot and of the motion file
SPEECH = 1
NEUTRAL = 2  # no live audio
DISCONTINUITY = 4  # sound is missing before this frame
WARMING_UP = 8
BLINKING = 16
PLAYBACK = 32


class Frame(NamedTuple):
    """The face that samples 640 index .. 640 index + 639 show.

    landmarks float32 [68, 3] and blendshapes float32 [52] as the contract's
    section 4 says; f0_hz 0 where unvoiced.
    """

    index: int
    landmarks: np.ndarray
    blendshapes: np.ndarray
    f0_hz: float
    rms_dbfs: float
    flags: int
