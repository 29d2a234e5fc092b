"""Sound files: wav, flac, ogg and whatever else libsndfile reads."""

import os
import re

import numpy as np
import soundfile

from ..core.errors import DataError, MissingInputError
from ..core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ
from .block import Block
from .convert import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, Converter
from .pace import Pace

_BLOCK_S = 0.01
_UNREAD_S = 1.0  # of an Ogg file: some programs mark several pages as the last one, and all behind the first are unread


class FileSource:
    """Reads a sound file block by block; ends by itself.

    :param path: the file
    :param fast: as fast as it is read, not in real time
    :raises MissingInputError: no such file
    :raises DataError: no sound file, damaged, empty, or of an impossible rate
    """

    live = False
    playback = False
    pauses = False

    def __init__(self, path, fast=False):
        self.name = path
        if not os.path.exists(path):
            raise MissingInputError(f"{path}: no such file; check the path")
        try:
            self._file = soundfile.SoundFile(path)
        except (RuntimeError, OSError, TypeError, ValueError) as error:
            raise DataError(
                f"{path}: no sound file that can be read ({' '.join(str(error).split())[-80:]}); give wav, flac or ogg"
            ) from None
        rate = self._file.samplerate
        if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
            self._refuse(
                f"{rate} Hz is outside {LOWEST_RATE_HZ}..{HIGHEST_RATE_HZ} Hz; resample it"
            )
        if self._file.frames == 0:
            self._refuse("holds no sound; give another file")
        if _is_cut_short(self._file.extra_info):
            self._refuse("is cut short, its header promises more sound; copy it again")
        self._converter = Converter(rate)
        self._pace = Pace(fast)
        self._block = (
            HOP_SAMPLES * 25 * rate // SAMPLE_RATE_HZ if fast else max(1, int(rate * _BLOCK_S))
        )
        self._taken = 0

    def open(self):
        """Nothing to do: the file is open."""

    def close(self):
        """Closes the file."""
        self._file.close()

    def read(self, timeout_s):
        """The next `Block`, or None at the end of the file.

        :raises DataError: the file breaks off or holds values that are no numbers
        """
        del timeout_s  # a file is never waited for longer than one block
        try:
            block = self._file.read(self._block, dtype="float32", always_2d=True)
        except RuntimeError as error:
            self._refuse(
                f"damaged after {self._taken / self._file.samplerate:.2f} s ({' '.join(str(error).split())[-80:]}); copy it again"
            )
        if not len(block):
            unread = _UNREAD_S * self._file.samplerate if self._file.format == "OGG" else 0
            if self._taken < self._file.frames - unread:
                self._refuse(
                    f"damaged: ends after {self._taken} of {self._file.frames} samples; copy it again"
                )
            if self._converter is None:
                return None
            converter, self._converter = self._converter, None
            rest = converter.accept(np.zeros((0, 1), np.float32), last=True)
            return Block(rest, self._pace.due(len(rest)), 0)
        if not np.isfinite(block).all():
            self._refuse(
                f"holds values that are no numbers near {self._taken / self._file.samplerate:.2f} s; write it again"
            )
        self._taken += len(block)
        samples = self._converter.accept(block)
        return Block(samples, self._pace.due(len(samples)), 0)

    def _refuse(self, why):
        self._file.close()
        raise DataError(f"{self.name}: {why}")


def _is_cut_short(log):
    """Whether libsndfile's log tells of a data chunk larger than the file.

    Programs that write to a pipe leave 0 or the largest number as size; that is
    no damage.
    """
    for size in re.findall(r"data\s*:\s*(\d+) \(should be \d+\)", log):
        if int(size) not in (0, 0x7FFFFFFF, 0xFFFFFFFF) and int(size) < 0x7FFFF000:
            return True
    return False


def read_whole(path):
    """All samples of a file as float32 [N], 16 kHz mono; errors as `FileSource`."""
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
