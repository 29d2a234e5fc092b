"""AIFF, AU, Wave64 and Core Audio files: whether the sound is as long as the header announces.

Layouts: Apple's "Audio Interchange File Format" 1.3 and "Core Audio Format" specifications, Sun's
audio(4), Sony's "Sound Forge Wave64".
"""

import struct
from typing import List, Optional, Tuple

from . import joined, mpeg
from .content import Content, Piece
from .riff import OVERHEAD_BYTES

_W64_NAME_BYTES = 16
_W64_ALIGN = 8  # no other kind fills up to more
_W64_START = b"riff\x2e\x91\xcf\x11"
_UNKNOWN_32 = 0x7FFFF000  # sizes that programs leave that write to a pipe: these and larger
_UNKNOWN_64 = 1 << 62


def is_start(content: Content, at: int) -> bool:
    """Whether a file of one of these kinds begins here."""
    start = content.read(at, 12)
    if start[:4] == b"FORM":
        return start[8:] in (b"AIFF", b"AIFC")
    return start[:4] in (b".snd", b"dns.", b"caff") or start[:8] == _W64_START


def split(content: Content, start: int) -> Tuple[List[Piece], int]:
    """The file that begins at `start`, and where it ends: at the next one, or the end."""
    sound_end = _sound_end(content, start)
    fault = ""
    if sound_end is not None and sound_end > content.size + OVERHEAD_BYTES:
        fault = "is truncated, its header announces more sound; copy it again"
    behind = start + 4 if sound_end is None else max(sound_end, start + 4)
    if sound_end is None:
        end = joined.next_start(content, behind)
    else:
        end = content.next_start(behind)
        end = _mpeg_start(content, sound_end, end)
        magic = content.read(start, 4)
        for found in content.find(magic, behind, end):
            if is_start(content, found):
                end = found
                break
    return [_piece(content, start, end, fault)], end


def _mpeg_start(content: Content, sound_end: int, end: int) -> int:
    """Where MPEG audio begins that was joined to a file, behind what fills it up; or `end`.

    MPEG has no beginning that could not occur within sound, so it is looked for only there.
    """
    for at in range(sound_end, min(sound_end + _W64_ALIGN, end)):
        if mpeg.is_start(content, mpeg.skip_tag(content, at)):
            return at
    return end


def _piece(content: Content, start: int, end: int, fault: str) -> Piece:
    """All of the file; with the size of its sound, where a Core Audio file leaves it open."""
    if content.read(start, 4) == b"caff":
        body = _body_of(content, start + 8, b"data", ">Q", 1)
        if body is not None and content.read(body - 8, 8) == b"\xff" * 8:
            head = content.read(start, body - 8 - start) + struct.pack(">Q", end - body)
            return Piece(body, end, head, fault)
    return Piece(start, end, fault=fault)


def _sound_end(content: Content, start: int) -> Optional[int]:
    """Where the sound ends, as the header says; None where it does not."""
    magic = content.read(start, 4)
    if magic in (b".snd", b"dns."):
        sizes = content.read(start + 4, 8)
        if len(sizes) < 8:
            return None
        offset, size = struct.unpack("<II" if magic == b"dns." else ">II", sizes)
        return None if size >= _UNKNOWN_32 else start + offset + size
    if magic == b"FORM":
        return _chunk_end(content, start + 12, b"SSND", ">I", 2, _UNKNOWN_32)
    if magic == b"caff":
        return _chunk_end(content, start + 8, b"data", ">Q", 1, _UNKNOWN_64)
    return _w64_end(content, start)


def _body_of(
    content: Content, at: int, wanted: bytes, size_format: str, align: int
) -> Optional[int]:
    """Where the content of the chunk of that name begins; None where there is none."""
    size_bytes = struct.calcsize(size_format)
    while True:
        header = content.read(at, 4 + size_bytes)
        if len(header) < 4 + size_bytes:
            return None
        body = at + 4 + size_bytes
        if header[:4] == wanted:
            return body
        (size,) = struct.unpack(size_format, header[4:])
        at = body + size + size % align


def _chunk_end(
    content: Content, at: int, wanted: bytes, size_format: str, align: int, unknown: int
) -> Optional[int]:
    """Where the chunk of that name ends; None where there is none, or of unknown size."""
    body = _body_of(content, at, wanted, size_format, align)
    if body is None:
        return None
    size_bytes = struct.calcsize(size_format)
    (size,) = struct.unpack(size_format, content.read(body - size_bytes, size_bytes))
    return None if size == 0 or size >= unknown else body + size


def _w64_end(content: Content, start: int) -> Optional[int]:
    at = start + 2 * _W64_NAME_BYTES + 8
    while True:
        header = content.read(at, _W64_NAME_BYTES + 8)
        if len(header) < _W64_NAME_BYTES + 8:
            return None
        (size,) = struct.unpack("<Q", header[_W64_NAME_BYTES:])
        if header[:4] == b"data":
            return None if size >= _UNKNOWN_64 else at + size
        if size < len(header):
            return None
        at += size + -size % _W64_ALIGN
