"""The ring between a device's callback and whoever reads: one writer, one reader, no lock."""

from typing import Tuple

import numpy as np


class Ring:
    """Preallocated sound buffer that drops the oldest sound when the reader is too slow.

    `write` runs in the audio callback: it only copies. `read` runs in one other thread. A
    frame is one sample of every channel; positions count frames since the start and never
    wrap.

    :param capacity: frames it holds
    :param channels: samples per frame
    """

    def __init__(self, capacity: int, channels: int = 1) -> None:
        self._data = np.zeros((capacity, channels), np.float32)
        self._capacity = capacity
        self._reserved = 0  # the writer is busy up to here
        self._written = 0  # complete up to here
        self._read = 0

    def write(self, block: np.ndarray) -> None:
        """Copies float32 [n, channels] in; of more than the capacity only the newest part."""
        n = len(block)
        end = self._written + n
        self._reserved = end
        if n > self._capacity:
            block = block[n - self._capacity :]
        start = (end - len(block)) % self._capacity
        first = min(len(block), self._capacity - start)
        self._data[start : start + first] = block[:first]
        self._data[: len(block) - first] = block[first:]
        self._written = end

    def read(self, limit: int, newest: bool = False) -> Tuple[int, np.ndarray, int]:
        """Copies out at most `limit` frames, the oldest first.

        :param newest: drop all but the newest `limit` frames
        :return: (position of the first frame, float32 [n, channels], frames lost before it)
        """
        written = self._written
        start = max(self._read, written - (limit if newest else self._capacity))
        n = min(limit, written - start)
        at = start % self._capacity
        first = min(n, self._capacity - at)
        block = np.concatenate((self._data[at : at + first], self._data[: n - first]))
        # what the writer has begun to overwrite since then cannot be trusted
        torn = min(n, max(0, self._reserved - self._capacity - start))
        lost = start + torn - self._read
        self._read = start + n
        return start + torn, block[torn:], lost

    @property
    def waiting(self) -> int:
        """Frames that can be read now."""
        return min(self._written - self._read, self._capacity)
