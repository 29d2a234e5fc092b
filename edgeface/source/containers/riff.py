"""WAV: RIFF, RIFX and RF64, read so that a wrong size in a header costs no sound.

Sizes: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0"; EBU Tech 3306.
"""

import struct
from typing import Dict, List, Optional, Tuple

from . import joined
from .content import Content, Piece

MAGICS = (b"RIFF", b"RIFX", b"RF64")
# a size may count headers too many; what is missing beyond them is sound
OVERHEAD_BYTES = 64
UNKNOWN_FROM = 0x7FFFF000  # programs that write to a pipe leave such sizes, or 0
_KNOWN = (b"data", b"fmt ", b"fact", b"LIST", b"bext", b"JUNK", b"PEAK", b"cue ", b"smpl", b"id3 ")
_OTHER_STARTS = (b"OggS", b"fLaC", b"FORM", b"caff")  # of files that may be joined to this one
_MOST_FORMAT_BYTES = 4096
_MOST_RIFF_BYTES = 0xFFFFF000


def is_start(content: Content, at: int) -> bool:
    """Whether a WAV file begins here."""
    return content.read(at, 4) in MAGICS and content.read(at + 8, 4) == b"WAVE"


def split(content: Content, start: int) -> Tuple[List[Piece], int]:
    """The WAV file that begins at `start`, and where it ends; no piece where it has no sound."""
    endian = ">" if content.read(start, 4) == b"RIFX" else "<"
    formats: Dict[bytes, bytes] = {}
    size64: Optional[int] = None
    at = start + 12
    while at + 8 <= content.size:
        name = content.read(at, 4)
        (size,) = struct.unpack(endian + "I", content.read(at + 4, 4))
        if name == b"data":
            data_end, fault = _data_end(content, at + 8, size, size64)
            head = _header(endian, formats, data_end - at - 8)
            piece = Piece(at + 8, data_end, head, fault)
            return [piece], _end(content, data_end, endian)
        if name in (b"fmt ", b"fact"):
            formats[name] = content.read(at + 8, min(size, _MOST_FORMAT_BYTES))
        elif name == b"ds64":
            sizes = content.read(at + 8, 16)
            size64 = struct.unpack("<Q", sizes[8:])[0] if len(sizes) == 16 else None
        at = _next(content, at, size)
    return [Piece(start, content.size)], content.size  # the decoder says what is wrong


def _next(content: Content, at: int, size: int) -> int:
    """Where the chunk after that at `at` begins; a byte fills odd ones up, but not always."""
    end = at + 8 + size
    if size % 2 == 0:
        return end
    after = content.read(end, 5)
    if after[1:] in _KNOWN or after[:1] == b"\0":
        return end + 1
    return end if after[:4] in _KNOWN + MAGICS or after[:4].isalpha() else end + 1


def _data_end(content: Content, at: int, size: int, size64: Optional[int]) -> Tuple[int, str]:
    """Where the sound that begins at `at` ends, and why it is damaged."""
    there = content.size - at
    if size64 and size >= UNKNOWN_FROM:
        size = size64
        unknown = size >= 1 << 62
    elif size == 0:
        unknown = not _is_chunk(content, at)
    else:
        unknown = size >= UNKNOWN_FROM and size > there
    if unknown:
        return joined.sound_end(content, at, joined.next_start(content, at)), ""
    if size <= there:
        return at + size, ""
    if size - there <= OVERHEAD_BYTES:
        return content.size, ""
    return content.size, "is truncated, its header announces more sound; copy it again"


def _is_chunk(content: Content, at: int) -> bool:
    """Whether nothing, or a chunk that fits into the file, begins here."""
    if at >= content.size:
        return True
    name, size = content.read(at, 4), content.read(at + 4, 4)
    if len(size) < 4 or not all(0x20 <= byte < 0x7F for byte in name):
        return False
    return at + 8 + min(struct.unpack("<I", size)[0], struct.unpack(">I", size)[0]) <= content.size


def _end(content: Content, at: int, endian: str) -> int:
    """Where the file whose sound ends at `at` ends: chunks may follow, or another file."""
    while at + 8 <= content.size:
        # sound of an odd number of bytes is filled up
        chunks = [start for start in (at, at + 1) if _is_chunk(content, start)]
        for start in (at, at + 1):
            if content.read(start, 4) in _OTHER_STARTS or is_start(content, start):
                return start
        size = content.read(chunks[0] + 4, 4) if chunks else b""
        if len(size) < 4:
            return at
        at = _next(content, chunks[0], struct.unpack(endian + "I", size)[0])
    return content.size


def _header(endian: str, formats: Dict[bytes, bytes], size: int) -> bytes:
    """A header of nothing but what decoding needs."""
    chunks = b""
    for name in (b"fmt ", b"fact"):
        if name in formats:
            body = formats[name]
            chunks += name + struct.pack(endian + "I", len(body)) + body + bytes(len(body) % 2)
    total = 4 + len(chunks) + 8 + size
    if total < _MOST_RIFF_BYTES:
        magic = b"RIFX" if endian == ">" else b"RIFF"
        sizes = magic + struct.pack(endian + "I", total) + b"WAVE"
        return sizes + chunks + b"data" + struct.pack(endian + "I", size)
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, total + 36, size, 0, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + chunks + b"data\xff\xff\xff\xff"
