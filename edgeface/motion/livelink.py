"""Head and eyes as Live Link Face has them, in its packets and in its recordings.

Signs as apps write them that take them from ARKit: the nose up, and to the viewer's right, count as
positive. No receiver was asked.
"""

from typing import List

import numpy as np

PARTS = ("Head", "LeftEye", "RightEye")
ANGLES = tuple(f"{part}{angle}" for part in PARTS for angle in ("Yaw", "Pitch", "Roll"))


def angles(head: np.ndarray, gaze: np.ndarray) -> List[float]:
    """Values of `ANGLES`, in rad.

    :param head: float32 [6], as in `motion.frame.Frame`
    :param gaze: float32 [4], likewise
    """
    pitch, yaw, roll = head[:3].tolist()
    left_yaw, left_pitch, right_yaw, right_pitch = gaze.tolist()
    return [yaw, 0.0 - pitch, roll, left_yaw, left_pitch, 0.0, right_yaw, right_pitch, 0.0]
