"""The parts of a face: iBUG-68 landmarks and ARKit blendshapes; two measures of the mouth."""

import os

import numpy as np

LANDMARKS = 68  # points, each x, y and z
EYES = slice(36, 48)
MOUTH = slice(48, 68)
UPPER_LIP = 62  # inner edges, in the middle
LOWER_LIP = 66
LEFT_CORNER = 48
RIGHT_CORNER = 54

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

# made by `training`
SHAPES_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shapes.npy")


def lip_gap(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the inner lips: of landmarks [..., 68, 3], [...]."""
    gap = landmarks[..., UPPER_LIP, :] - landmarks[..., LOWER_LIP, :]
    return np.linalg.norm(gap, axis=-1)


def mouth_width(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the mouth's corners: of landmarks [..., 68, 3], [...]."""
    width = landmarks[..., LEFT_CORNER, :] - landmarks[..., RIGHT_CORNER, :]
    return np.linalg.norm(width, axis=-1)


class ShapeMap:
    """Blendshapes estimated from landmarks, for networks that have no blendshapes."""

    def __init__(self) -> None:
        # from landmarks less the resting ones, flat, to blendshapes: float32 [204, 52]
        self.matrix = np.load(SHAPES_FILE, allow_pickle=False).astype(np.float32)

    def shapes(self, moved: np.ndarray) -> np.ndarray:
        """Estimates the blendshapes of one face.

        :param moved: landmarks less the resting ones, float32 [68, 3]
        :return: float32 [52], 0..1
        """
        return np.clip(moved.reshape(-1).dot(self.matrix), 0.0, 1.0)
