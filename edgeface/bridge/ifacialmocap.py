"""The phone's side of iFacialMocap: VSeeFace, Warudo, VMagicMirror, VNyan, Blender add-ons."""

from typing import List, Optional

from ..motion.face import BLENDSHAPES
from ..shm.reader import ReadFrame
from .encoder import Encoder
from .shapes import clean

PORT = 49983  # where the phone listens for clients, and where they listen for frames
_HELLO = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
_HELLOS = {_HELLO: 1, _HELLO + b"|sendDataVersion=v2": 2}
_SEPARATORS = {1: "-", 2: "&"}  # between name and value
_NO_SIDES = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")  # directions of one part
# angles in degrees and the head's place: no frame has them yet
_HEAD_AND_EYES = "=head#0,0,0,0,0,0|rightEye#0,0,0|leftEye#0,0,0|"


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
        return [(text + _HEAD_AND_EYES).encode("ascii")]


def _phone_name(name: str) -> str:
    """`mouthSmile_L` for mouthSmileLeft."""
    if name in _NO_SIDES:
        return name
    for side in ("Left", "Right"):
        if name.endswith(side):
            return f"{name[: -len(side)]}_{side[0]}"
    return name
