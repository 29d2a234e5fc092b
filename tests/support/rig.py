"""How far the inner lips of an avatar part: measured on the ICT rig, whose shapes are ARKit's."""

import numpy as np

from edgeface.motion.face import BLENDSHAPES

RESTING_GAP = 0.0086
# what a shape that is fully on adds to the gap, in distances of the outer corners of the eyes
_ADDS = {
    "jawForward": 0.0145,
    "jawLeft": -0.0026,
    "jawRight": -0.0026,
    "jawOpen": 0.3673,
    "mouthClose": -0.4367,
    "mouthFunnel": 0.1539,
    "mouthPucker": -0.0058,
    "mouthLeft": -0.0074,
    "mouthRight": -0.0074,
    "mouthDimpleLeft": -0.0040,
    "mouthDimpleRight": -0.0040,
    "mouthRollLower": -0.0420,
    "mouthRollUpper": 0.0204,
    "mouthShrugLower": -0.0771,
    "mouthShrugUpper": 0.0590,
    "mouthPressLeft": -0.0142,
    "mouthPressRight": -0.0142,
    "mouthLowerDownLeft": 0.0379,
    "mouthLowerDownRight": 0.0379,
    "mouthUpperUpLeft": 0.0398,
    "mouthUpperUpRight": 0.0398,
    "noseSneerLeft": 0.0349,
    "noseSneerRight": 0.0349,
}
_WEIGHTS = np.array([_ADDS.get(name, 0.0) for name in BLENDSHAPES])


def rig_gap(blendshapes):
    """Signed gap of the inner lips: of blendshapes [..., 52], [...]; 0 and less is closed."""
    return RESTING_GAP + np.asarray(blendshapes).dot(_WEIGHTS)
