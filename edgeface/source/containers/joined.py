"""Where a sound file whose length nobody knows ends: where another one begins, or a tag."""

import re
import struct
from typing import Optional

from . import mpeg
from .content import Content

_PAGE_BYTES = 1 << 16
# headers of MPEG frames, as far as single bytes tell them, and of the tags before them
_MPEG = re.compile(
    rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]|ID3[\x02-\x04][\x00-\x0f].[\x00-\x7f]{4}",
    re.DOTALL,
)
_MPEG_BYTES = 10  # the longest of them
_SURE_FRAMES = 8  # that follow each other within sound by no chance
_CHUNKS = re.compile(rb"LIST|id3 |ID3 |bext|cue |smpl|JUNK|PEAK|fact|iXML|afsp|inst|acid")
_TAIL_BYTES = 1 << 20  # in which chunks behind the sound are looked for
_ID3V1_BYTES = 128


def next_start(content: Content, at: int) -> int:
    """Where from `at` on a sound file begins that was joined to the one before; or the end."""
    end = content.next_start(at)
    found = _mpeg_start(content, at, end)
    return end if found is None else found


def sound_end(content: Content, at: int, end: int) -> int:
    """Where sound that may reach from `at` to `end` gives way to a tag, or to chunks of WAV."""
    if end - _ID3V1_BYTES >= at and content.read(end - _ID3V1_BYTES, 3) == b"TAG":
        return end - _ID3V1_BYTES
    start = max(at, end - _TAIL_BYTES)
    for found in _CHUNKS.finditer(content.read(start, end - start)):
        if _chunks_fill(content, start + found.start(), end):
            return start + found.start()
    return end


def _mpeg_start(content: Content, at: int, end: int) -> Optional[int]:
    """Where between here and there MPEG audio begins, or the tag before it; None: nowhere."""
    while at < end:
        page = content.read(at, min(_PAGE_BYTES, end - at))
        for match in _MPEG.finditer(page):
            found = at + match.start()
            if _is_mpeg(content, mpeg.skip_tag(content, found), end):
                return found
        if len(page) < _MPEG_BYTES:
            break
        at += len(page) - _MPEG_BYTES + 1
    return None


def _is_mpeg(content: Content, at: int, end: int) -> bool:
    """Whether frames of one form follow each other here, many of them or up to the end."""
    first = mpeg.parse(content.read(at, 4))
    if first is None:
        return False
    frames = 0
    frame: Optional[mpeg.Frame] = first
    while frame is not None and frame.form == first.form and frames < _SURE_FRAMES:
        frames += 1
        at += frame.length
        frame = mpeg.parse(content.read(at, 4))
    if frames == _SURE_FRAMES:
        return True
    return frames > 2 and (at == end or mpeg.skip_tag(content, at) > at)


def _chunks_fill(content: Content, at: int, end: int) -> bool:
    """Whether chunks reach from here exactly to the end, or a byte that fills the last one up."""
    while at + 8 <= end:
        name = content.read(at, 4)
        (size,) = struct.unpack("<I", content.read(at + 4, 4))
        if not all(0x20 <= byte < 0x7F for byte in name):
            return False
        if at + 8 + size == end:
            return True
        at += 8 + size + size % 2
    return at == end
