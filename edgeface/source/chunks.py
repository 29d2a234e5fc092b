"""The chunks that a voice's socket carries; `voice.Voice` says what they look like."""

from typing import NamedTuple, Optional

import numpy as np

from ..voice import HEADER, INTERRUPT, LONGEST_BYTES, MAGIC, STOP
from .base import EMPTY
from .convert import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, Converter

_SAMPLE_BYTES = 2
_PIECES_PER_S = 10  # sound is converted in pieces of 0.1 s, or of so many bytes at high rates
_PIECE_BYTES = 16384


class ProtocolError(ValueError):
    """The bytes received are not a chunk."""


class Chunk(NamedTuple):
    """A chunk, or a part of one."""

    play_at_ns: int
    """when the first sample is heard, CLOCK_MONOTONIC in ns; 0: after what came before"""

    interrupt: bool
    """whether all that came before is dropped, if it is still queued"""

    samples: np.ndarray
    """float32 [n], 16 kHz mono, -1..1; n may be 0"""

    stop: bool = False
    """whether all that came before fades out, and all others that speak are hung up on"""


class ChunkParser:
    """Turns bytes into chunks; the bytes may be cut anywhere."""

    def __init__(self) -> None:
        self._data = b""  # not taken yet
        self._at = 0
        self._missing_bytes = 0  # of the current chunk
        self._rate_hz = 0
        self._converter: Optional[Converter] = None
        self._play_at_ns = 0

    @property
    def between_chunks(self) -> bool:
        """Whether whole chunks were received and nothing of the next one."""
        return not self._missing_bytes and self._at == len(self._data)

    @property
    def in_sound(self) -> bool:
        """Whether the next bytes are sound, not a header."""
        return self._missing_bytes > 0

    def put(self, data: bytes) -> None:
        """Takes bytes; call `take` until it returns None before the next ones."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def take(self) -> Optional[Chunk]:
        """The next part of a chunk, a header or at most 0.1 s of sound: bounded work.

        :return: None when more bytes are needed
        :raises ProtocolError: a header is invalid
        """
        available = len(self._data) - self._at
        if self._missing_bytes:
            piece_bytes = max(_SAMPLE_BYTES, _SAMPLE_BYTES * self._rate_hz // _PIECES_PER_S)
            count = min(self._missing_bytes, available, piece_bytes, _PIECE_BYTES)
            count = count // _SAMPLE_BYTES * _SAMPLE_BYTES
            if not count:
                return None
            self._at += count
            return self._sound(self._data[self._at - count : self._at])
        if available < HEADER.size:
            return None
        header = HEADER.unpack_from(self._data, self._at)
        self._at += HEADER.size
        return self._begin(*header)

    def finish(self) -> np.ndarray:
        """The sound that the resampler still holds back, float32 [n]."""
        if self._converter is None:
            return EMPTY.samples
        samples = self._converter.finish()
        self._converter = None
        return samples

    def _sound(self, pcm: bytes) -> Chunk:
        if self._converter is None:
            self._converter = Converter(self._rate_hz)
        sound = np.frombuffer(pcm, "<i2").astype(np.float32)[:, None] / 32768.0
        chunk = Chunk(self._play_at_ns, False, self._converter.accept(sound))
        self._missing_bytes -= len(pcm)
        if len(chunk.samples):  # the resampler may hold back all of it
            self._play_at_ns = 0
        return chunk

    def _begin(self, magic: int, rate_hz: int, length: int, flags: int, play_at_ns: int) -> Chunk:
        """Takes a header; the chunk holds the rest of the sound before it, unless it ends it."""
        _check_header(magic, rate_hz, length, flags)
        rest = EMPTY.samples
        interrupt = flags == INTERRUPT
        stop = flags == STOP
        if interrupt or stop:
            self._converter = None
        elif length and (rate_hz != self._rate_hz or play_at_ns):
            rest = self.finish()  # the next converter is made when there is sound for it
        self._missing_bytes = length
        self._play_at_ns = play_at_ns
        if length or interrupt or stop:
            self._rate_hz = rate_hz
        return Chunk(0, interrupt, rest, stop)


def _check_header(magic: int, rate_hz: int, length: int, flags: int) -> None:
    if magic != MAGIC:
        raise ProtocolError(
            f"not a chunk header: it begins with {magic:08x}, not {MAGIC:08x}; send a header of"
            f" {HEADER.size} bytes before each chunk"
        )
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise ProtocolError(
            f"not a chunk header: {rate_hz} Hz are out of range; {LOWEST_RATE_HZ} to"
            f" {HIGHEST_RATE_HZ}"
        )
    if length % _SAMPLE_BYTES:
        raise ProtocolError(
            f"not a chunk header: {length} bytes are not whole samples of 16 bits; keep the odd"
            " byte for the next chunk"
        )
    if length > LONGEST_BYTES:
        raise ProtocolError(
            f"not a chunk header: {length} bytes are too many; at most {LONGEST_BYTES}"
        )
    if flags not in (0, INTERRUPT, STOP):
        raise ProtocolError(f"not a chunk header: flags {flags}; 0, {INTERRUPT} or {STOP}")
