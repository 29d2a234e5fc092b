"""The phone's side of iFacialMocap: VSeeFace, Warudo, VMagicMirror, VNyan, Blender add-ons."""

from typing import List, Optional

import numpy as np

from ..motion.face import BLENDSHAPES
from ..shm.reader import ReadFrame
from .encoder import Encoder
from .shapes import bounded, clean

PORT = 49983  # where the phone listens for clients, and where they listen for frames
_HELLO = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
_HELLOS = {_HELLO: 1, _HELLO + b"|sendDataVersion=v2": 2}
_SEPARATORS = {1: "-", 2: "&"}  # between name and value
_NO_SIDES = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")  # directions of one part
_UNIT_M = 0.089  # between the outer corners of an adult's eyes
_DIGITS = 2  # of angles in degrees
_PLACE_DIGITS = 4  # of metres


def parse_hello(datagram: bytes) -> Optional[int]:
    """The version of the data that a client asks for, 1 or 2; None where it is no client's hello.

    The answer goes to the port `PORT` of the client, whichever it wrote from.
    """
    return _HELLOS.get(datagram.rstrip(b"\0\r\n "))


class IFacialMocap(Encoder):
    """One datagram a frame, text: shapes in per cent by name, then head and eyes.

    :param version: of the data, as the client asked for it: 1 or 2
    """

    def __init__(self, version: int = 1):
        self._names = [_phone_name(name) + _SEPARATORS[version] for name in BLENDSHAPES]

    def encode(self, frame: ReadFrame, time_s: float) -> List[bytes]:
        """The whole frame in one datagram."""
        shapes = zip(self._names, clean(frame.blendshapes))
        text = "".join(f"{name}{round(100 * value)}|" for name, value in shapes)
        return [(text + _head_and_eyes(frame)).encode("ascii")]


def _head_and_eyes(frame: ReadFrame) -> str:
    """Angles in degrees about x, y and z, and the head's place in m.

    As in a recording of the phone, where both eyes look at it: down and towards the nose is
    positive in x, and in y for the right eye.
    """
    head = bounded(frame.head)
    left_yaw, left_pitch, right_yaw, right_pitch = bounded(frame.gaze)
    place = _text(head[3:] * _UNIT_M, _PLACE_DIGITS)
    right = _text(np.degrees((-right_pitch, right_yaw, 0.0)), _DIGITS)
    left = _text(np.degrees((-left_pitch, left_yaw, 0.0)), _DIGITS)
    return f"=head#{_text(np.degrees(head[:3]), _DIGITS)},{place}|rightEye#{right}|leftEye#{left}|"


def _text(values: np.ndarray, digits: int) -> str:
    return ",".join(f"{round(value, digits) + 0.0:g}" for value in values.tolist())


def _phone_name(name: str) -> str:
    """`mouthSmile_L` for mouthSmileLeft."""
    if name in _NO_SIDES:
        return name
    for side in ("Left", "Right"):
        if name.endswith(side):
            return f"{name[: -len(side)]}_{side[0]}"
    return name
