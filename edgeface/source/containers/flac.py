"""FLAC, RFC 9639: files one after another, and streams whose header knows no length."""

from typing import List, Optional, Tuple

from . import joined
from .content import Content, Piece

MAGIC = b"fLaC"
_TAIL_BYTES = 1 << 18  # longer than any frame that encoders write
_ID3V1_BYTES = 128
_TRIES = 4  # frames looked at, from the last one back: a false header is one in 2^23


def split(content: Content, start: int) -> Tuple[List[Piece], int]:
    """The FLAC stream that begins at `start`, and where it ends: at the next one, or the end."""
    end = joined.next_start(content, start + len(MAGIC))
    following = end
    if end == content.size and content.read(end - _ID3V1_BYTES, 3) == b"TAG":
        end -= _ID3V1_BYTES
    info = content.read(start + 8, 18)
    fault = ""
    known = len(info) == 18 and (info[13] & 0x0F or any(info[14:]))
    if not known and not _ends_with_frame(content, start, end):
        fault = "damaged: breaks off amid a frame; copy it again"
    return [Piece(start, end, b"", fault, not known)], following


def _ends_with_frame(content: Content, start: int, end: int) -> bool:
    """Whether a frame whose checksum is right ends at `end`."""
    tail = content.read(max(start, end - _TAIL_BYTES), min(_TAIL_BYTES, end - start))
    at = len(tail)
    for _ in range(_TRIES):
        at = _last_header(tail, at)
        if at < 0:
            break
        if _crc16(tail[at:]) == 0:
            return True
    return False


def _last_header(tail: bytes, before: int) -> int:
    """The last position before that at which a frame's header stands; -1: none."""
    at = before
    while True:
        at = tail.rfind(b"\xff", 0, at)
        if at < 0:
            return -1
        size = _header_bytes(tail[at : at + 16])
        if size is not None and _crc8(tail[at : at + size]) == 0:
            return at


def _header_bytes(start: bytes) -> Optional[int]:
    """Length of the frame header that begins so, its checksum included; None: it is none."""
    if len(start) < 6 or start[1] & 0xFE != 0xF8 or start[3] & 1:
        return None
    block_code = start[2] >> 4
    rate_code = start[2] & 15
    if block_code == 0 or rate_code == 15 or start[3] >> 4 > 10:
        return None
    number = start[4]
    extra = 0
    while extra < 7 and number & 0x80 >> extra:
        extra += 1
    number_bytes = extra if extra else 1
    block_bytes = {6: 1, 7: 2}.get(block_code, 0)
    rate_bytes = {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    size = 4 + number_bytes + block_bytes + rate_bytes + 1
    return size if size <= len(start) else None


def _table(polynomial: int, bits: int) -> List[int]:
    """What each byte does to a checksum of so many bits."""
    high = 1 << bits - 1
    mask = (1 << bits) - 1
    table = []
    for byte in range(256):
        crc = byte << bits - 8
        for _ in range(8):
            crc = crc << 1 ^ polynomial if crc & high else crc << 1
        table.append(crc & mask)
    return table


_CRC8 = _table(0x07, 8)
_CRC16 = _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = _CRC8[crc ^ byte]
    return crc


def _crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFF00) ^ _CRC16[crc >> 8 ^ byte]
    return crc
