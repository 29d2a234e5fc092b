"""Open Sound Control 1.0 over UDP: messages, bundles, and frames as plain messages."""

import functools
import re
import struct
from typing import Dict, Iterable, List, Union

from ..motion.face import BLENDSHAPES
from ..motion.frame import SPEECH
from ..shm.reader import ReadFrame
from .encoder import Encoder
from .shapes import bounded, clean

Argument = Union[str, bool, int, float]

REFRESH_S = 1.0  # how long a receiver that came late, or lost a datagram, may be wrong
_STEP = 0.001  # what nobody can see is not sent
_DATAGRAM_BYTES = 1452  # Ethernet's 1,500 less the headers of IPv6 and UDP
_BUNDLE = b"#bundle\0" + struct.pack(">Q", 1)  # time tag 1: at once
_INT = struct.Struct(">i")
_FLOAT = struct.Struct(">f")
_PREFIX = re.compile(r"(/[!-~]+)?")
_RESERVED = set(" #*,?[]{}")  # the characters of patterns, which no address may have
_SILENCE_DBFS = -120.0
_HEAD = ("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ")
_GAZE = ("gazeLeftYaw", "gazeLeftPitch", "gazeRightYaw", "gazeRightPitch")


def message(address: str, *arguments: Argument) -> bytes:
    """One message.

    :param address: ASCII, begins with a slash
    :param arguments: bool as T or F, int and float of 32 bits, str of ASCII
    """
    types = []
    data = b""
    for argument in arguments:
        if isinstance(argument, bool):  # before int, which it is, too
            types.append("T" if argument else "F")
        elif isinstance(argument, int):
            types.append("i")
            data += _INT.pack(argument)
        elif isinstance(argument, float):
            types.append("f")
            data += _FLOAT.pack(argument)
        else:
            types.append("s")
            data += _text(argument)
    return _text(address) + _text("," + "".join(types)) + data


def bundles(messages: Iterable[bytes]) -> List[bytes]:
    """Messages in order, in as few bundles as fit into one Ethernet frame each."""
    found = []
    bundle = _BUNDLE
    for item in messages:
        if len(bundle) + _INT.size + len(item) > _DATAGRAM_BYTES:
            found.append(bundle)
            bundle = _BUNDLE
        bundle += _INT.pack(len(item)) + item
    return found + [bundle] if bundle != _BUNDLE else found


class Changes:
    """Knows what the receiver was told: says what changed since, and everything once a second."""

    def __init__(self) -> None:
        self._told: Dict[str, float] = {}
        self._all_s = float("-inf")  # when everything was said

    def since(self, values: Dict[str, float], time_s: float) -> List[bytes]:
        """Messages for the values that the receiver lacks.

        :param values: by address; bool, int or float, always of the same type
        :param time_s: a clock's time; one that is set back makes everything be said again
        """
        everything = not 0 <= time_s - self._all_s < REFRESH_S
        if everything:
            self._all_s = time_s
            self._told = {}
        changed = {
            address: value
            for address, value in values.items()
            if address not in self._told or abs(value - self._told[address]) >= _STEP
        }
        self._told.update(changed)
        return [message(address, value) for address, value in changed.items()]


class Osc(Encoder):
    """`PREFIX/jawOpen ,f 0.4` and so on for robots and shows, `PREFIX/headYaw ,f` and so on of
    head and gaze, `PREFIX/speech ,i 1` and `PREFIX/level ,f` in dBFS: what changed, and everything
    once a second.

    :param prefix: begins with a slash, or is empty
    :raises ValueError: no address can begin with this prefix
    """

    def __init__(self, prefix: str):
        prefix = prefix.rstrip("/")
        if not _PREFIX.fullmatch(prefix) or _RESERVED.intersection(prefix):
            raise ValueError(f"prefix {prefix!r}: needs a slash, then characters such as /face/1")
        self._shapes = [f"{prefix}/{name}" for name in BLENDSHAPES]
        self._angles = [f"{prefix}/{name}" for name in _HEAD + _GAZE]
        self._speech = f"{prefix}/speech"
        self._level = f"{prefix}/level"
        self._changes = Changes()

    def encode(self, frame: ReadFrame, time_s: float) -> List[bytes]:
        """Bundles of what changed; none where nothing did."""
        values: Dict[str, float] = dict(zip(self._shapes, clean(frame.blendshapes)))
        turned = bounded(frame.head).tolist() + bounded(frame.gaze).tolist()
        values.update(zip(self._angles, turned))
        values[self._speech] = int(frame.flags & SPEECH != 0)
        # in this order, what is no number becomes silence
        values[self._level] = min(0.0, max(_SILENCE_DBFS, frame.rms_dbfs))
        return bundles(self._changes.since(values, time_s))


@functools.lru_cache(maxsize=4096)
def _text(text: str) -> bytes:
    """A string as OSC writes it: ended by a zero byte, filled up to four bytes."""
    data = text.encode("ascii")
    return data + bytes(4 - len(data) % 4)
