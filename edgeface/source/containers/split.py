"""Recognises what a sound file is by its first bytes, and cuts it into pieces."""

from typing import Callable, List, NamedTuple, Optional, Tuple

from . import chunked, flac, mpeg, ogg, riff
from .content import Content, Piece

_SEARCHED_BYTES = 1 << 16  # for the first frame of MPEG after a tag
_Split = Callable[[Content, int], Tuple[List[Piece], int]]


class Foreign(NamedTuple):
    """A format that cannot be read, by bytes that stand at an offset."""

    offset: int
    magic: bytes
    name: str


# what people have and libsndfile does not read
FOREIGN = (
    Foreign(4, b"ftyp", "MPEG-4 (m4a, mp4)"),
    Foreign(0, ogg.MAGIC, "this kind of Ogg"),
    Foreign(0, b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
    Foreign(0, b"BW64", "Broadcast Wave 64"),
    Foreign(0, b"\x30\x26\xb2\x75", "Windows Media (wma)"),
    Foreign(0, b"#!AMR", "AMR"),
    Foreign(0, b"\xff\xf1", "AAC"),
    Foreign(0, b"\xff\xf9", "AAC"),
    Foreign(0, b"ADIF", "AAC"),
    Foreign(0, b"\x0b\x77", "AC-3"),
    Foreign(0, b"wvpk", "WavPack"),
    Foreign(0, b"MAC ", "Monkey's Audio"),
    Foreign(0, b"TTA1", "True Audio"),
    Foreign(0, b".RMF", "RealMedia"),
    Foreign(0, b".ra\xfd", "RealAudio"),
    Foreign(0, b"DSD ", "DSD"),
    Foreign(0, b"FRM8", "DSD"),
    Foreign(0, b"#!SILK", "SILK"),
    Foreign(1, b"#!SILK", "SILK"),
    Foreign(0, b"FLV\x01", "Flash video"),
)


def split(content: Content) -> List[Piece]:
    """The pieces of a file: one for most, several for files that were joined.

    What is not recognised is one piece, for the decoder to judge.
    """
    pieces: List[Piece] = []
    at = _skip_tags(content, 0)
    while at < content.size:
        reader = _reader(content, at)
        if reader is None:
            break
        found, end = reader(content, at)
        pieces += found
        at = _skip_tags(content, end)
        if found and found[-1].fault:
            break
    return pieces or [Piece(0, content.size)]


def foreign_name(content: Content) -> str:
    """Name of a format that cannot be read; empty: it is none of those known."""
    start = content.read(0, 16)
    for foreign in FOREIGN:
        if start[foreign.offset :].startswith(foreign.magic):
            return foreign.name
    return ""


def _skip_tags(content: Content, start: int) -> int:
    """Where the sound begins after tags, which are skipped where something known follows."""
    at = start
    while True:
        end = mpeg.skip_tag(content, at)
        if end == at or end >= content.size:
            break
        at = end
    if at == start or _reader(content, at) is not None:
        return at
    frame = mpeg.find_frame(content, at, min(at + _SEARCHED_BYTES, content.size))
    return start if frame is None else frame


def _reader(content: Content, at: int) -> Optional[_Split]:
    magic = content.read(at, 4)
    if riff.is_start(content, at):
        return riff.split
    if magic == ogg.MAGIC:
        return ogg.split
    if magic == flac.MAGIC:
        return flac.split
    if chunked.is_start(content, at):
        return chunked.split
    if mpeg.is_start(content, at):
        return mpeg.split
    return None
