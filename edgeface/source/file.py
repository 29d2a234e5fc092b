"""Sound files: wav, flac, ogg and whatever else libsndfile reads."""

import os
import re
from typing import NoReturn, Optional

import numpy as np
import soundfile

from ..core.errors import DataError, MissingInputError, one_line
from .base import Block, Source
from .convert import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, Converter
from .pace import Pace

_BLOCK_S = 0.01
_FAST_BLOCK_S = 1.0
# some programs mark several pages of an Ogg file as the last one: libsndfile reads the first
# of them and leaves the others, at most so much sound
_UNREAD_OGG_S = 1.0
_LONGEST_REASON = 80


class FileSource(Source):
    """Reads a sound file block by block; ends by itself.

    :param path: the file
    :param fast: as fast as it can be read, not in real time
    :raises MissingInputError: there is no such file
    :raises DataError: it is not a sound file, damaged, empty, or of an impossible rate
    """

    def __init__(self, path: str, fast: bool = False) -> None:
        super().__init__(path)
        if not os.path.exists(path):
            raise MissingInputError(f"{path}: file not found; check the path")
        try:
            self._file = soundfile.SoundFile(path)
        except (RuntimeError, OSError, TypeError, ValueError) as error:
            reason = one_line(error)[-_LONGEST_REASON:]
            raise DataError(
                f"{path}: not a readable sound file ({reason}); use wav, flac or ogg"
            ) from None
        rate_hz = self._file.samplerate
        if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
            self._refuse(
                f"{rate_hz} Hz is outside {LOWEST_RATE_HZ}..{HIGHEST_RATE_HZ} Hz; resample it"
            )
        if self._file.frames == 0:
            self._refuse("contains no sound; use another file")
        if _is_truncated(self._file.extra_info):
            self._refuse("is truncated, its header announces more sound; copy it again")
        self._converter: Optional[Converter] = Converter(rate_hz, path)  # None: it is finished
        self._pace = Pace(fast)
        self._block_frames = max(1, int(rate_hz * (_FAST_BLOCK_S if fast else _BLOCK_S)))
        self._read_frames = 0

    def open(self) -> None:
        """Does nothing: the file is open."""

    def read(self, timeout_s: float) -> Optional[Block]:
        """The next `Block`, or None at the end of the file.

        :raises DataError: the file breaks off or holds values that are not finite
        """
        del timeout_s  # a file never makes anybody wait for longer than one block
        if self._converter is None:
            return None
        try:
            sound = self._file.read(self._block_frames, dtype="float32", always_2d=True)
        except RuntimeError as error:
            reason = one_line(error)[-_LONGEST_REASON:]
            self._refuse(f"damaged after {self._read_s:.2f} s ({reason}); copy it again")
        if not len(sound):
            self._check_end()
            samples = self._converter.finish()
            self._converter = None
        else:
            if not np.isfinite(sound).all():
                self._refuse(
                    f"contains values that are not finite near {self._read_s:.2f} s; write it again"
                )
            self._read_frames += len(sound)
            samples = self._converter.accept(sound)
        return Block(samples, self._pace.wait(len(samples)))

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    @property
    def _read_s(self) -> float:
        """Seconds of the file that were read."""
        return self._read_frames / self._file.samplerate

    def _check_end(self) -> None:
        unread = _UNREAD_OGG_S * self._file.samplerate if self._file.format == "OGG" else 0
        if self._read_frames < self._file.frames - unread:
            self._refuse(
                f"damaged: ends after {self._read_frames} of {self._file.frames} samples;"
                " copy it again"
            )

    def _refuse(self, why: str) -> NoReturn:
        self._file.close()
        raise DataError(f"{self.name}: {why}")


def _is_truncated(log: str) -> bool:
    """Whether libsndfile's log reports a data chunk larger than the file.

    Programs that write to a pipe leave 0 or the largest number as its size; that is
    no damage.
    """
    for size in re.findall(r"data\s*:\s*(\d+) \(should be \d+\)", log):
        if int(size) not in (0, 0x7FFFFFFF, 0xFFFFFFFF) and int(size) < 0x7FFFF000:
            return True
    return False


def read_whole(path: str) -> np.ndarray:
    """All samples of a file as float32 [N], 16 kHz mono; raises as `FileSource` does."""
    source = FileSource(path, fast=True)
    blocks = []
    try:
        block = source.read(0.0)
        while block is not None:
            blocks.append(block.samples)
            block = source.read(0.0)
    finally:
        source.close()
    return np.concatenate(blocks)
