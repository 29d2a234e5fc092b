"""Where everything is in the segment (`docs/contract.md`, section 3), as in `edgeface.h`."""

import os
import struct
import zlib
from typing import Union

from ..core.rates import FRAME_RATE_HZ, MS_NS

MAGIC = 0x48534645  # "EFSH"
ABI_MAJOR = 1
ABI_MINOR = 1
HEADER_SIZE = 256
SLOT_STRIDE = 1152
SLOT_SIZE_1_0 = 1088  # all that a slot of ABI 1.0 has
SLOT_COUNT = 8
SEGMENT_SIZE = HEADER_SIZE + SLOT_STRIDE * SLOT_COUNT
POINTS, DIMS, BLENDSHAPES = 68, 3, 52
FRAME_RATE_MHZ = 1000 * FRAME_RATE_HZ  # millihertz

# header, constant part: bytes 0..59, then their CRC32
HEADER = struct.Struct("<IHHIIIIIIQQIII")
HEADER_CRC_OFFSET = 60

# header, live part: offsets of aligned u64
LATEST, HEARTBEAT_NS, STATE = 64, 72, 80
DROPPED_SAMPLES, SOURCE_RESTARTS, LATE_FRAMES, INFERENCE_ERRORS = 88, 96, 104, 112
LATENCY_NS = 120

STARTING, RUNNING, WAITING, DEGRADED, STOPPED = range(5)
STATE_NAMES = ("starting", "running", "waiting", "degraded", "stopped")

# slot: seq at 0; frame_index, audio_sample, audio_ns, publish_ns, flags at 8; CRC32 at 44;
# level in dBFS, F0 in Hz and two zeros at 48; then the face
SLOT_INDEX = struct.Struct("<QQQQI")
SLOT_INDEX_OFFSET = 8
SLOT_CRC_OFFSET = 44
SLOT_VALUES = struct.Struct("<fffI")
SLOT_VALUES_OFFSET = 48
SLOT_LANDMARKS_OFFSET = 64
SLOT_BLENDSHAPES_OFFSET = 880
# since ABI 1.1: rotation and translation of the head, gaze of both eyes, five zeros; their CRC32
SLOT_LIFE_OFFSET = SLOT_SIZE_1_0
SLOT_LIFE_CRC_OFFSET = 1148

HEARTBEAT_TIMEOUT_NS = 500 * MS_NS
FOLDER = "/dev/shm"


def segment_path(name: str) -> str:
    """Path of the segment NAME.

    :raises ValueError: it is no plain file name
    """
    size = len(name.encode("utf-8", "surrogatepass"))
    if not 0 < size <= 200 or name.startswith(".") or "/" in name or "\0" in name:
        raise ValueError(
            f"'{name}' is not a valid name for shared memory; use a plain name such as edgeface"
        )
    return os.path.join(FOLDER, name)


def slot_offset(frame: int) -> int:
    """Offset of the slot of frame n = 0, 1, ..."""
    return HEADER_SIZE + SLOT_STRIDE * (frame % SLOT_COUNT)


def slot_crc(slot: Union[bytes, bytearray]) -> int:
    """CRC32 of a slot's bytes 8..43 and 48..1087."""
    return zlib.crc32(slot[48:SLOT_SIZE_1_0], zlib.crc32(slot[8:44]))


def slot_life_crc(slot: Union[bytes, bytearray]) -> int:
    """CRC32 of a slot's bytes 1088..1147."""
    return zlib.crc32(slot[SLOT_LIFE_OFFSET:SLOT_LIFE_CRC_OFFSET])


def state_name(state: int) -> str:
    """Name of a state, also of one that a later version may have."""
    return STATE_NAMES[state] if 0 <= state < len(STATE_NAMES) else f"state {state}"
