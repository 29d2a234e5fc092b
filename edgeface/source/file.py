"""Sound files: wav, flac, ogg, mp3 and whatever else libsndfile reads."""

import shlex
from typing import BinaryIO, List, Optional

import numpy as np

from ..core.errors import DataError, MissingInputError
from ..core.files import open_regular
from .base import BLOCK_SAMPLES, Block, Source
from .containers.content import Content, Piece
from .containers.split import foreign_name, split
from .decoder import Decoder, NotSound
from .pace import Pace


class FileSource(Source):
    """Reads a sound file block by block; ends by itself.

    The file is decoded in the same large blocks at any pace, so that the samples are the same.

    :param path: the file; files that were joined are heard one after another
    :param fast: as fast as it can be read, not in real time
    :raises MissingInputError: there is no such file
    :raises DataError: it is not a sound file, damaged, empty, or of an impossible rate
    """

    def __init__(self, path: str, fast: bool = False) -> None:
        super().__init__(path)
        self._fast = fast
        self._pace = Pace(fast)
        self._ready = np.zeros(0, np.float32)
        self._decoder: Optional[Decoder] = None
        self._file = _open(path)
        try:
            self._content = Content(self._file)
            self._pieces = split(self._content)
            self._start_next()
            if self._decoder is None:
                raise DataError(f"{path}: contains no sound; use another file")
        except BaseException:
            self.close()
            raise

    def open(self) -> None:
        """Does nothing: the file is open."""

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Optional[Block]:
        """The next `Block`, or None at the end of the file.

        :raises DataError: the file breaks off or holds values that are not finite
        """
        del timeout_s  # a file never makes anybody wait for longer than one block
        if not len(self._ready):
            if self._decoder is None:
                return None
            self._ready = self._decoder.read()
            if self._decoder.finished:
                self._decoder.close()
                self._start_next()
        count = len(self._ready) if self._fast else samples
        sound = self._ready[:count]
        self._ready = self._ready[count:]
        return Block(sound, self._pace.wait(len(sound)))

    def close(self) -> None:
        """Closes the file."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        self._file.close()

    def _start_next(self) -> None:
        """Begins to decode the next piece that holds sound; without a decoder, there is none."""
        self._decoder = None
        while self._pieces and self._decoder is None:
            decoder = self._decoder_of(self._pieces.pop(0))
            if decoder.frames > 0:
                self._decoder = decoder
            else:
                decoder.close()

    def _decoder_of(self, piece: Piece) -> Decoder:
        try:
            return Decoder(self.name, self._content, piece)
        except NotSound as error:
            raise DataError(f"{self.name}: {_advice(self.name, self._content, error)}") from None


def _open(path: str) -> BinaryIO:
    try:
        return open_regular(path)
    except FileNotFoundError:
        raise MissingInputError(f"{path}: file not found; check the path") from None
    except OSError as error:
        raise DataError(
            f"{path}: not a readable sound file ({error.strerror}); use wav, flac or ogg"
        ) from None


def _advice(path: str, content: Content, error: NotSound) -> str:
    """Why it cannot be read, and what to do."""
    kind = foreign_name(content)
    if kind:
        return f"{kind} cannot be read; convert it: ffmpeg -i {shlex.quote(path)} out.wav"
    return f"not a readable sound file ({error}); use wav, flac or ogg"


def read_whole(path: str) -> np.ndarray:
    """All samples of a file as float32 [N], 16 kHz mono; raises as `FileSource` does."""
    source = FileSource(path, fast=True)
    blocks: List[np.ndarray] = []
    try:
        block = source.read(0.0)
        while block is not None:
            blocks.append(block.samples)
            block = source.read(0.0)
    finally:
        source.close()
    return np.concatenate(blocks)
