"""`-`: raw sound or WAV from standard input."""

from typing import Optional

from .base import BLOCK_SAMPLES, Block, Source
from .pcm import Pcm
from .raw import RawReader


class PipeSource(Source):
    """Reads a pipe until its writer closes it.

    :param file: descriptor, standard input by default; it stays open
    :param fast: read as fast as the writer delivers, not in real time
    :param pcm: what raw sound is
    """

    def __init__(self, file: int = 0, fast: bool = False, pcm: Pcm = Pcm()) -> None:
        super().__init__("-")
        self.pauses = not fast
        self._reader = RawReader(file, fast, name=self.name, pcm=pcm)

    def open(self) -> None:
        """Does nothing: the pipe is open."""

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Optional[Block]:
        """The next block, `base.EMPTY`, or None at the end.

        :raises DataError: the sound is encoded
        """
        return self._reader.read(timeout_s, samples)

    def close(self) -> None:
        """Leaves the pipe open: it belongs to the caller."""
