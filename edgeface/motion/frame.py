"""One face frame."""

from typing import NamedTuple

import numpy as np

# flags of the shared-memory slot and of the motion file
SPEECH = 1
NEUTRAL = 2  # no live audio
DISCONTINUITY = 4  # sound is missing before this frame
WARMING_UP = 8  # reserved by the contract; no release sets it
BLINKING = 16
PLAYBACK = 32  # the sound is what the machine plays


class Frame(NamedTuple):
    """The face that samples 640 index .. 640 index + 639 show."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    """number of the frame since the stream began"""

    landmarks: np.ndarray
    """float32 [68, 3], as `docs/contract.md`, section 4 says"""

    blendshapes: np.ndarray
    """float32 [52], 0..1, in the order of `face.BLENDSHAPES`"""

    f0_hz: float
    """fundamental frequency in the middle of the frame, 0 where unvoiced"""

    rms_dbfs: float
    """level of the frame's sound, -120..0"""

    flags: int
    """the constants of this module, combined by or"""
