"""Raw sound on standard input: signed 16-bit little-endian, mono, 16 kHz."""

import os
import select

import numpy as np

from ..features import SAMPLE_RATE_HZ
from .block import Block
from .pace import Pace

_BLOCK_BYTES = 2 * SAMPLE_RATE_HZ // 100


class RawSource:
    """Reads a pipe, at most as fast as real time, so that a fast writer waits; ends with the pipe.

    While the writer pauses, silence takes its place: a face must not freeze with an open mouth.

    :param file: descriptor
    :param fast: as fast as the pipe delivers
    """

    live = False
    name = "-"

    def __init__(self, file=0, fast=False):
        self._file = file
        self._pace = Pace(fast)
        self._rest = b""
        self._fast = fast
        self._silent = False

    def open(self):
        """Nothing to do: the pipe is open."""

    def close(self):
        """Leaves the pipe open: it belongs to the caller."""

    def read(self, timeout_s):
        """The next `Block`, silence after `timeout_s` without sound, or None at the end."""
        ready, _, _ = select.select([self._file], [], [], 0.0 if self._silent else timeout_s)
        self._silent = not ready and not self._fast
        if not ready:
            silence = np.zeros(_BLOCK_BYTES // 2 if self._silent else 0, np.float32)
            return Block(silence, self._pace.due(len(silence)), 0)
        data = os.read(self._file, _BLOCK_BYTES)
        if not data:
            return None
        data = self._rest + data
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        samples = np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768.0
        return Block(samples, self._pace.due(len(samples)), 0)
