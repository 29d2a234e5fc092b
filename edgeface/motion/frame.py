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


NO_HEAD = np.zeros(6, np.float32)
NO_GAZE = np.zeros(4, np.float32)
NO_HEAD.setflags(write=False)
NO_GAZE.setflags(write=False)


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

    head: np.ndarray = NO_HEAD
    """float32 [6]: rotation in rad (pitch, yaw, roll), then translation in units of the face, as
    `docs/contract.md`, section 4 says; landmarks do not contain it"""

    gaze: np.ndarray = NO_GAZE
    """float32 [4]: yaw and pitch of the left eye, then of the right one, in rad within the head"""
