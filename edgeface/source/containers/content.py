"""A sound file's bytes by position, and the pieces that it is cut into."""

import io
import os
import re
from typing import Any, BinaryIO, Iterator, NamedTuple

_PAGE_BYTES = 1 << 16
# beginnings that are long enough not to occur within sound
_START = re.compile(
    rb"fLaC[\x00\x80]\x00\x00\x22|OggS\x00\x02|caff\x00\x01\x00\x00|FORM....AIF[FC]"
    rb"|R(?:IFF|IFX|F64)....WAVE(?:fmt |ds64|JUNK|LIST|bext|fact)",
    re.DOTALL,
)
_START_BYTES = 16  # the longest of them


class Content:
    """Bytes of an open file, by position.

    :param file: a regular one; stays the caller's
    """

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = file.fileno()
        self.size = os.fstat(self._descriptor).st_size
        self._page = b""
        self._page_at = 0

    def read(self, at: int, count: int) -> bytes:
        """At most `count` bytes from position `at`; fewer at the end of the file, none outside.

        :raises OSError: the medium fails
        """
        if not 0 <= at < self.size:
            return b""
        offset = at - self._page_at
        if not 0 <= offset <= offset + count <= len(self._page):
            if count > _PAGE_BYTES:
                return os.pread(self._descriptor, count, at)
            self._page = os.pread(self._descriptor, _PAGE_BYTES, at)
            self._page_at = at
            offset = 0
        return self._page[offset : offset + count]

    def find(self, word: bytes, start: int, end: int) -> Iterator[int]:
        """Positions of a word from `start` on that end before `end`."""
        at = start
        while at < end:
            block = self.read(at, min(_PAGE_BYTES, end - at))
            if len(block) < len(word):
                return
            found = block.find(word)
            while found >= 0:
                yield at + found
                found = block.find(word, found + 1)
            at += len(block) - len(word) + 1

    def next_start(self, at: int) -> int:
        """Where from `at` on a sound file begins that was joined to the one before; or the end."""
        while at < self.size:
            block = self.read(at, _PAGE_BYTES)
            found = _START.search(block)
            if found is not None:
                return at + found.start()
            if len(block) < _START_BYTES:
                break
            at += len(block) - _START_BYTES + 1
        return self.size


class Piece(NamedTuple):
    """Part of a file that one decoder reads."""

    start: int
    """position of its first byte"""

    end: int
    """position after its last byte"""

    head: bytes = b""
    """what the decoder reads before that: a header that says the truth"""

    fault: str = ""
    """why it is damaged; empty: it is whole as far as its container shows"""

    estimated: bool = False
    """whether the number of samples that the decoder announces is an estimate"""

    samples: int = 0
    """how many samples it holds at its own rate; 0: only the decoder knows"""

    count_head: bytes = b""
    """a head for a decoder whose estimate is too low, and which would stop there"""


class Excerpt(io.RawIOBase):
    """A piece as a file of its own, as libsndfile reads it."""

    def __init__(self, content: Content, piece: Piece) -> None:
        super().__init__()
        self._content = content
        self._piece = piece
        self._size = len(piece.head) + piece.end - piece.start
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves, and gives the new position; never beyond the ends."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = min(max(0, origin + offset), self._size)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer; 0 at the end, and where the medium fails: a caller in C has no errors."""
        head = self._piece.head
        count = min(len(buffer), self._size - self._at)
        if self._at < len(head):
            data = head[self._at : self._at + count]
        else:
            position = self._piece.start + self._at - len(head)
            try:
                data = self._content.read(position, count)
            except OSError:
                data = b""
        buffer[0 : len(data)] = data
        self._at += len(data)
        return len(data)
