"""What a pipe carries, by its first bytes: a WAV file as a stream, raw sound, or what is refused.

WAV: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0"; EBU Tech 3306.
"""

import re
import struct
from typing import NamedTuple, Optional

from ..pcm import Pcm
from . import flac, mpeg, ogg
from .riff import UNKNOWN_FROM
from .split import FOREIGN, Foreign

_FEWEST_BYTES = 12  # that anything is recognised by
_MOST_HEAD_BYTES = 1 << 16
_MOST_CHUNK_BYTES = 1 << 20  # behind the sound
_FORMAT_BYTES = 16  # of `fmt `, at least
_EXTENSIBLE = 0xFFFE
_ENCODINGS = {(1, 1): "u8", (1, 2): "s16le", (1, 3): "s24le", (1, 4): "s32le", (3, 4): "f32le"}
_REFUSED = (
    Foreign(0, flac.MAGIC, "FLAC"),
    Foreign(0, ogg.MAGIC, "Ogg"),
    Foreign(0, b"ID3\x02", "MP3"),
    Foreign(0, b"ID3\x03", "MP3"),
    Foreign(0, b"ID3\x04", "MP3"),
    Foreign(0, b"RIFX", "WAV of big-endian samples"),
    Foreign(0, b"FORM", "AIFF"),
    Foreign(0, b"caff", "Core Audio"),
    Foreign(0, b".snd", "AU"),
    Foreign(0, b"riff\x2e\x91\xcf\x11", "Wave64"),
) + tuple(foreign for foreign in FOREIGN if len(foreign.magic) >= 4)  # fewer occur in raw sound

# of those, and of WAV, what does not occur within raw sound
_HEADS = [kind.magic for kind in _REFUSED if not kind.offset] + [b"RIFF", b"RF64"]
_HEAD = re.compile(
    b"|".join(re.escape(head) for head in _HEADS[:-2]) + rb"|R(?:IFF|F64)....WAVE", re.DOTALL
)
HEAD_BYTES = 12  # the longest of them


class Refused(ValueError):
    """It is neither raw sound nor a WAV file of it; the text is its name."""


class Start(NamedTuple):
    """How the sound begins."""

    head_bytes: int = 0
    """before it"""

    pcm: Optional[Pcm] = None
    """as the head says; None: raw sound, without a head"""

    sound_bytes: Optional[int] = None
    """as the head says; None: up to the end"""


def recognise(data: bytes) -> Optional[Start]:
    """How the sound begins that begins with these bytes; None where more are needed to know it.

    :raises Refused: it is encoded
    """
    if len(data) < _FEWEST_BYTES:
        return None
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return _wav(data)
    for foreign in _REFUSED:
        if data[foreign.offset :].startswith(foreign.magic):
            raise Refused(foreign.name)
    frame = mpeg.parse(data[:4])
    if frame is None:
        return Start()
    if len(data) < frame.length + 4:
        return None
    second = mpeg.parse(data[frame.length : frame.length + 4])
    if second is not None and second.form == frame.form:
        raise Refused("MP3")
    return Start()


def first_head(data: bytes) -> Optional[int]:
    """Where in these bytes a file begins that nobody takes for raw sound; None: nowhere."""
    found = _HEAD.search(data)
    return None if found is None else found.start()


def head_may_begin(data: bytes) -> int:
    """Where at the end of these bytes such a file may begin whose head is not whole yet."""
    for at in range(max(0, len(data) - HEAD_BYTES + 1), len(data)):
        if any(head.startswith(data[at : at + len(head)]) for head in _HEADS):
            return at
    return len(data)


def chunk_bytes(data: bytes) -> Optional[int]:
    """How long a chunk is that begins here, behind the sound of a WAV file; 0 where none does.

    None where more bytes are needed to know it.
    """
    if len(data) < 8:
        return None
    (size,) = struct.unpack_from("<I", data, 4)
    printable = all(0x20 <= byte < 0x7F for byte in data[:4])
    return 8 + size + size % 2 if printable and size < _MOST_CHUNK_BYTES else 0


def _wav(data: bytes) -> Optional[Start]:
    pcm: Optional[Pcm] = None
    at = 12
    while at + 8 <= len(data):
        name = data[at : at + 4]
        (size,) = struct.unpack_from("<I", data, at + 4)
        at += 8
        if name == b"data":
            if pcm is None:
                raise Refused("WAV without a format")
            return Start(at, pcm, size if 0 < size < UNKNOWN_FROM else None)
        if name == b"fmt " and len(data) >= at + min(size, _MOST_HEAD_BYTES):
            pcm = _pcm(data[at : at + size])
        at += size + size % 2
    if len(data) > _MOST_HEAD_BYTES:
        raise Refused(f"WAV with a head of over {_MOST_HEAD_BYTES} bytes")
    return None


def _pcm(body: bytes) -> Pcm:
    """The format that the chunk `fmt ` describes."""
    if len(body) < _FORMAT_BYTES:
        raise Refused("WAV without a format")
    codec, channels, rate_hz, _, frame_bytes, _ = struct.unpack_from("<HHIIHH", body)
    if codec == _EXTENSIBLE and len(body) >= 26:
        (codec,) = struct.unpack_from("<H", body, 24)
    sample_bytes = frame_bytes // channels if channels else 0
    encoding = _ENCODINGS.get((codec, sample_bytes))
    if encoding is None or frame_bytes % channels:
        raise Refused(f"WAV of codec {codec:#x} with {sample_bytes} bytes a sample")
    try:
        return Pcm(rate_hz, channels, encoding).check()
    except ValueError as error:
        raise Refused(f"WAV with {error}") from None
