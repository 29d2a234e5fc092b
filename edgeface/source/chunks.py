"""The chunks that a voice's socket carries; `voice.Voice` says what they look like."""

from typing import List, NamedTuple, Optional

import numpy as np

from ..voice import HEADER, INTERRUPT, LONGEST_BYTES, MAGIC
from .base import EMPTY
from .convert import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, Converter

_SAMPLE_BYTES = 2


class ProtocolError(ValueError):
    """The bytes received are not a chunk."""


class Chunk(NamedTuple):
    """A chunk, or a part of one."""

    play_at_ns: int
    """when the first sample is heard, CLOCK_MONOTONIC in ns; 0: after what came before"""

    interrupt: bool
    """whether all that came before is dropped, if it is still queued"""

    samples: np.ndarray
    """float32 [n], 16 kHz mono, -1..1"""


class ChunkParser:
    """Turns bytes into chunks; the bytes may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._missing_bytes = 0  # of the current chunk
        self._rate_hz = 0
        self._converter: Optional[Converter] = None
        self._play_at_ns = 0

    def accept(self, data: bytes) -> List[Chunk]:
        """Takes bytes; returns what they complete.

        :raises ProtocolError: a header is invalid
        """
        data = self._rest + data
        found = []
        at = 0
        while True:
            if self._missing_bytes:
                waiting_bytes = min(self._missing_bytes, len(data) - at)
                count = waiting_bytes // _SAMPLE_BYTES * _SAMPLE_BYTES
                if not count:
                    break
                found.append(self._sound(data[at : at + count]))
                at += count
            elif len(data) - at >= HEADER.size:
                if self._begin(*HEADER.unpack_from(data, at)):
                    found.append(Chunk(0, True, EMPTY.samples))
                at += HEADER.size
            else:
                break
        self._rest = data[at:]
        return found

    def finish(self) -> np.ndarray:
        """The sound that the resampler still holds back, float32 [n]."""
        if self._converter is None:
            return EMPTY.samples
        samples = self._converter.finish()
        self._converter = None
        return samples

    def _sound(self, pcm: bytes) -> Chunk:
        if self._converter is None:  # the writer paused in the middle of a chunk
            self._converter = Converter(self._rate_hz)
        sound = np.frombuffer(pcm, "<i2").astype(np.float32)[:, None] / 32768.0
        chunk = Chunk(self._play_at_ns, False, self._converter.accept(sound))
        self._missing_bytes -= len(pcm)
        if len(chunk.samples):  # the resampler may hold back all of it
            self._play_at_ns = 0
        return chunk

    def _begin(self, magic: int, rate_hz: int, length: int, flags: int, play_at_ns: int) -> bool:
        """Takes a header; whether the chunk interrupts."""
        if (
            magic != MAGIC
            or not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ
            or length % _SAMPLE_BYTES
            or length > LONGEST_BYTES
            or flags & ~INTERRUPT
        ):
            raise ProtocolError(
                f"not a chunk header"
                f" (magic {magic:08x}, {rate_hz} Hz, {length} bytes, flags {flags})"
            )
        interrupt = bool(flags & INTERRUPT)
        if rate_hz != self._rate_hz or play_at_ns or interrupt or self._converter is None:
            self._rate_hz = rate_hz
            self._converter = Converter(rate_hz)
        self._missing_bytes = length
        self._play_at_ns = play_at_ns
        return interrupt
