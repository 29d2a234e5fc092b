"""Names and index ranges of the face: iBUG-68 landmarks and ARKit blendshapes."""

import os

import numpy as np

EYES = slice(36, 48)
MOUTH = slice(48, 68)

# Apple's order (ARFaceAnchor.BlendShapeLocation as LiveLink numbers it)
BLENDSHAPES = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawRight",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)

# made by `training.shapes`
SHAPES_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shapes.npy")


class ShapeMap:
    """Blendshapes estimated from landmarks, for networks that know no blendshapes.

    `matrix`: of landmarks less the resting ones, flat, to blendshapes, float32 [204, 52]
    """

    def __init__(self):
        self.matrix = np.load(SHAPES_FILE, allow_pickle=False).astype(np.float32)

    def shapes(self, moved):
        """Of landmarks less the resting ones, float32 [68, 3]: float32 [52], 0..1."""
        return np.clip(moved.reshape(204).dot(self.matrix), 0.0, 1.0)
