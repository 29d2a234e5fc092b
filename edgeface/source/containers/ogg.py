"""Ogg: its pages, RFC 3533; a file may hold several streams one after another."""

from typing import List, Optional, Tuple

from .content import Content, Piece

MAGIC = b"OggS"
_HEADER_BYTES = 27
_FIRST = 2  # flag of a page


def split(content: Content, start: int) -> Tuple[List[Piece], int]:
    """The Ogg file that begins at `start`: one piece for each stream in the chain."""
    pieces: List[Piece] = []
    at = piece_start = start
    only_first = True  # pages so far: those that open streams
    while True:
        header = content.read(at, _HEADER_BYTES)
        if header[:4] != MAGIC:
            break
        end = _page_end(content, at, header)
        if end is None or _is_torn(content, at, end):
            fault = "damaged: breaks off amid a page; copy it again"
            return pieces + [Piece(piece_start, content.size, fault=fault)], content.size
        opens = header[5] & _FIRST != 0
        if opens and not only_first:
            pieces.append(Piece(piece_start, at))
            piece_start = at
        only_first = opens
        at = end
    if 0 < content.size - at < 4 and MAGIC.startswith(header):
        fault = "damaged: breaks off amid a page; copy it again"
        return pieces + [Piece(piece_start, content.size, fault=fault)], content.size
    return pieces + [Piece(piece_start, at)], at


def _page_end(content: Content, at: int, header: bytes) -> Optional[int]:
    """Where the page that begins at `at` ends; None where the file ends before."""
    if len(header) < _HEADER_BYTES:
        return None
    lengths = content.read(at + _HEADER_BYTES, header[26])
    end = at + _HEADER_BYTES + header[26] + sum(lengths)
    if len(lengths) < header[26] or end > content.size:
        return None
    return end


def _is_torn(content: Content, at: int, end: int) -> bool:
    """Whether another page begins inside of this one, where none begins at its end."""
    if end == content.size or content.read(end, 4) == MAGIC:
        return False
    return any(True for _ in content.find(MAGIC, at + 4, end))
