"""VMC protocol: VSeeFace, Warudo, VMagicMirror, Unity, Unreal and Godot with their add-ons."""

import math
from typing import Dict, List, Optional, Tuple

from ..motion.face import BLENDSHAPES
from ..shm.reader import ReadFrame
from .encoder import Encoder
from .osc import bundles, message
from .shapes import PASCAL, bounded, clean

PERFORMER_PORT = 39540  # VSeeFace, Warudo and others, which have a body and take a face
_DAY_S = 86400  # a float of 32 bits still tells 10 ms
_LOADED = (1, 3, 0)  # the model is there, calibrated, in normal mode: some receivers hide it else

# a, i, u, e, o, blink of both eyes, of the left, of the right
_PRESETS = {
    "vrm0": ("A", "I", "U", "E", "O", "Blink", "Blink_L", "Blink_R"),
    "vrm1": ("aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight"),
}
NAMES = ("arkit",) + tuple(_PRESETS)

# How much a shape of 1 opens or widens the mouth, in distances of the outer eye corners: the
# mean of two rigs (ICT-FaceKit, MakeHuman), of the shapes that move both alike. On speech, this
# opening follows the lip gap of the landmarks (r = 0.99).
_OPENING = {
    "jawOpen": 0.363,
    "mouthClose": -0.398,
    "mouthFunnel": 0.150,
    "mouthPucker": -0.008,
    "mouthSmileLeft": -0.008,
    "mouthSmileRight": -0.008,
    "mouthLowerDownLeft": 0.029,
    "mouthLowerDownRight": 0.029,
    "mouthUpperUpLeft": 0.032,
    "mouthUpperUpRight": 0.032,
    "mouthRollLower": -0.041,
}
_WIDENING = {  # by the lips alone: the jaw narrows every mouth
    "mouthFunnel": -0.065,
    "mouthPucker": -0.098,
    "mouthStretchLeft": 0.069,
    "mouthStretchRight": 0.069,
    "mouthSmileLeft": 0.075,
    "mouthSmileRight": 0.075,
}
# 1 in 100 frames of speech reaches the first, the wide and the round ones of 20 the next two
_OPEN = 0.12
_SPREAD = 0.008
_ROUND = 0.03
_PARTED = 0.02  # closed lips stay below a tenth of it


class Vmc(Encoder):
    """Bundles of one frame, each below 1,500 bytes; Apply ends the last one.

    :param names: `arkit` for models with the 52 shapes ("PerfectSync"), `vrm0` or `vrm1` for those
        that have vowels and blinks only; never both for one model, they add up
    :param head: whether to send the rotation of the bone Head; its position is sent as 0
    :raises ValueError: there are no such names
    """

    def __init__(self, names: str, head: bool = False):
        if names not in NAMES:
            raise ValueError(f"names {names!r}: needs one of {', '.join(NAMES)}")
        self._presets = _PRESETS.get(names)
        self._head = head
        self._start_s: Optional[float] = None

    def encode(self, frame: ReadFrame, time_s: float) -> List[bytes]:
        """The whole frame in one or two bundles."""
        if self._start_s is None:
            self._start_s = time_s
        shapes = clean(frame.blendshapes)
        if self._presets is None:
            values = dict(zip(PASCAL, shapes))
        else:
            values = dict(zip(self._presets, vowels(shapes) + _blinks(shapes)))
        messages = [
            message("/VMC/Ext/OK", *_LOADED),
            message("/VMC/Ext/T", (time_s - self._start_s) % _DAY_S),
        ]
        if self._head:
            pitch, yaw, roll = bounded(frame.head[:3]).tolist()
            turned = unity_rotation(pitch, yaw, roll)
            messages.append(message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, *turned))
        messages += [message("/VMC/Ext/Blend/Val", *item) for item in values.items()]
        return bundles(messages + [message("/VMC/Ext/Blend/Apply")])


def unity_rotation(pitch: float, yaw: float, roll: float) -> Tuple[float, float, float, float]:
    """The head's rotation as a quaternion x, y, z, w about Unity's axes.

    Those are ours with x the other way: the model's right, which is at the viewer's left.

    :param pitch: and the others in rad, as in `motion.frame.Frame`
    """
    sin_x, cos_x = math.sin(pitch / 2), math.cos(pitch / 2)
    sin_y, cos_y = math.sin(yaw / 2), math.cos(yaw / 2)
    sin_z, cos_z = math.sin(roll / 2), math.cos(roll / 2)
    return (
        cos_y * sin_x * cos_z + sin_y * cos_x * sin_z,
        cos_y * sin_x * sin_z - sin_y * cos_x * cos_z,
        sin_y * sin_x * cos_z - cos_y * cos_x * sin_z,
        cos_y * cos_x * cos_z + sin_y * sin_x * sin_z,
    )


def vowels(shapes: List[float]) -> List[float]:
    """How much a mouth looks like a, i, u, e and o.

    The opening decides between a or o, and the lips' rest, i or u; the width between round lips
    (o, u), lips at rest (a) and spread ones (e, i). The five add up to 1 at most, and to
    0 where the lips are closed.

    :param shapes: 52 of 0..1
    :return: 5 of 0..1
    """
    opening = _measure(shapes, _OPENING)
    widening = _measure(shapes, _WIDENING)
    is_open = _share(opening, _OPEN)
    is_round = _share(-widening, _ROUND)
    is_spread = _share(widening, _SPREAD)
    is_narrow = (1.0 - is_open) * _share(opening, _PARTED)
    return [
        is_open * (1.0 - is_round - is_spread),
        is_narrow * is_spread,
        is_narrow * is_round,
        is_open * is_spread,
        is_open * is_round,
    ]


def _blinks(shapes: List[float]) -> List[float]:
    """What both eyes close in common, and what the left and the right one close beyond it."""
    left = shapes[BLENDSHAPES.index("eyeBlinkLeft")]
    right = shapes[BLENDSHAPES.index("eyeBlinkRight")]
    both = min(left, right)
    return [both, left - both, right - both]


def _measure(shapes: List[float], weights: Dict[str, float]) -> float:
    return sum(weight * shapes[BLENDSHAPES.index(name)] for name, weight in weights.items())


def _share(value: float, whole: float) -> float:
    """A part of a whole, 0..1."""
    return min(1.0, max(0.0, value / whole))
