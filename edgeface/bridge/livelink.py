"""Live Link Face, as the iPhone app sends it: Unreal Engine, VRCFaceTracking, Blender add-ons."""

import struct
import time
from typing import List, Tuple

from ..motion.face import BLENDSHAPES
from ..motion.livelink import ANGLES, angles
from ..shm.reader import ReadFrame
from .encoder import Encoder
from .shapes import bounded, clean

PORT = 11111
_VERSION = 6  # receivers drop every other
_VALUES = len(BLENDSHAPES) + len(ANGLES)
_ID_LENGTH = 36  # some receivers count on a UUID
_SUBJECT_BYTES = 256
_DAY_S = 86400
_TIME_AND_VALUES = struct.Struct(f">ifiiB{_VALUES}f")


class LiveLink(Encoder):
    """One datagram a frame, big-endian: the 52 shapes, then head and eyes.

    :param subject: what the receiver lists, 1..256 bytes of UTF-8
    :param device_id: 36 ASCII characters, such as a UUID; a receiver takes one subject from each
    :param fps: frames a second, for the time code
    :raises ValueError: the subject or the device's id is of another length
    """

    def __init__(self, subject: str, device_id: str, fps: int):
        name = subject.encode("utf-8")
        if not 0 < len(name) <= _SUBJECT_BYTES:
            raise ValueError(f"subject {subject!r}: needs 1 to {_SUBJECT_BYTES} bytes")
        device = device_id.encode("utf-8")
        if not len(device) == len(device_id) == _ID_LENGTH:
            raise ValueError(f"device id {device_id!r}: needs {_ID_LENGTH} characters, as a UUID")
        self._fps = fps
        self._head = struct.pack(">Bi", _VERSION, _ID_LENGTH) + device
        self._head += struct.pack(">i", len(name)) + name

    def encode(self, frame: ReadFrame, time_s: float) -> List[bytes]:
        """The whole frame in one datagram."""
        number, part = self._time_code(time_s)
        values = clean(frame.blendshapes) + angles(bounded(frame.head), bounded(frame.gaze))
        return [self._head + _TIME_AND_VALUES.pack(number, part, self._fps, 1, _VALUES, *values)]

    def _time_code(self, time_s: float) -> Tuple[int, float]:
        """Frames since midnight, local time, as on the phone: whole ones, and part of one."""
        local = time.localtime(time_s)
        seconds = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + time_s % 1.0
        # rounded: k / fps is not to become frame k - 1, nor the part 1 in a float of 32 bits
        frames = round(seconds * self._fps, 4) % (_DAY_S * self._fps)
        return int(frames), frames % 1.0
