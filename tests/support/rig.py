"""What blendshapes do to the lips of two avatars that have nothing to do with each other.

The heads are those of ICT-FaceKit (MIT licence) and of MakeHuman with its Face Units (CC0). Units
are distances of the outer corners of the eyes.
"""

from typing import NamedTuple

import numpy as np

from edgeface.motion.face import BLENDSHAPES

# what a shape that is fully on adds: to ICT's gap of the inner lips and width of the mouth, and to
# MakeHuman's
_ADDS = {
    "jawForward": (0.0145, 0.0102, 0.0146, 0.0000),
    "jawLeft": (-0.0026, 0.0057, 0.0000, 0.0156),
    "jawRight": (-0.0026, 0.0057, 0.0000, 0.0156),
    "jawOpen": (0.3673, -0.0639, 0.3590, -0.0666),
    "mouthClose": (-0.4367, 0.0317, -0.3590, 0.0583),
    "mouthFunnel": (0.1539, -0.0765, 0.1457, -0.0541),
    "mouthPucker": (-0.0058, -0.1040, -0.0094, -0.0916),
    "mouthLeft": (-0.0074, -0.1051, -0.0114, -0.0156),
    "mouthRight": (-0.0074, -0.1051, -0.0114, -0.0156),
    "mouthSmileLeft": (0.0004, 0.0792, -0.0156, 0.0718),
    "mouthSmileRight": (0.0004, 0.0792, -0.0156, 0.0728),
    "mouthFrownLeft": (-0.0014, 0.0212, 0.0010, 0.0156),
    "mouthFrownRight": (-0.0014, 0.0212, 0.0010, 0.0156),
    "mouthDimpleLeft": (-0.0040, 0.0095, 0.0010, 0.0552),
    "mouthDimpleRight": (-0.0040, 0.0095, 0.0010, 0.0552),
    "mouthStretchLeft": (-0.0017, 0.0739, 0.0021, 0.0635),
    "mouthStretchRight": (-0.0017, 0.0739, 0.0021, 0.0635),
    "mouthRollLower": (-0.0420, 0.0075, -0.0395, -0.0010),
    "mouthRollUpper": (0.0204, 0.0356, -0.0291, 0.0000),
    "mouthShrugLower": (-0.0771, 0.0156, -0.0510, 0.0000),
    "mouthShrugUpper": (0.0590, -0.0009, 0.0427, 0.0000),
    "mouthPressLeft": (-0.0142, -0.0013, -0.0146, 0.0593),
    "mouthPressRight": (-0.0142, -0.0013, -0.0146, 0.0593),
    "mouthLowerDownLeft": (0.0379, -0.0003, 0.0198, 0.0000),
    "mouthLowerDownRight": (0.0379, -0.0003, 0.0198, 0.0000),
    "mouthUpperUpLeft": (0.0398, 0.0020, 0.0250, -0.0062),
    "mouthUpperUpRight": (0.0398, 0.0020, 0.0250, -0.0062),
    "cheekPuff": (-0.0049, -0.0627, -0.0114, -0.0645),
    "cheekSquintLeft": (0.0021, 0.0078, 0.0000, 0.0083),
    "cheekSquintRight": (0.0021, 0.0078, 0.0000, 0.0083),
    "noseSneerLeft": (0.0349, -0.0107, 0.0010, 0.0000),
    "noseSneerRight": (0.0349, -0.0107, 0.0010, 0.0000),
}
_NOTHING = (0.0, 0.0, 0.0, 0.0)
_WEIGHTS = np.array([_ADDS.get(name, _NOTHING) for name in BLENDSHAPES]).T
RESTING_GAP = 0.0086  # of ICT's head


class Avatar(NamedTuple):
    """Lips of a head at rest, and its row of `_WEIGHTS` for the gap; the next is the width's."""

    resting_gap: float
    resting_width: float
    row: int

    def gap(self, blendshapes):
        """Signed gap of the inner lips: of blendshapes [..., 52], [...]; 0 and less is closed."""
        return self.resting_gap + np.asarray(blendshapes).dot(_WEIGHTS[self.row])

    def width(self, blendshapes):
        """Distance of the mouth's corners: of blendshapes [..., 52], [...]."""
        return self.resting_width + np.asarray(blendshapes).dot(_WEIGHTS[self.row + 1])


ICT = Avatar(RESTING_GAP, 0.5685, 0)
MAKEHUMAN = Avatar(0.0070, 0.6926, 2)


def rig_gap(blendshapes):
    """Of ICT's head, which opens its lips wider than MakeHuman's."""
    return ICT.gap(blendshapes)
