"""The ring between the device's callback and the model: one writer, one reader, no lock."""

import numpy as np


class Ring:
    """Preallocated sound buffer that drops the oldest when the reader is too slow.

    `write` runs in the audio callback: it only copies. `read` runs in one other
    thread. Positions count blocks of channels since the start and never wrap.

    :param capacity: sample frames it holds
    :param channels: samples per sample frame
    """

    def __init__(self, capacity, channels=1):
        self._data = np.zeros((capacity, channels), np.float32)
        self._capacity = capacity
        self._reserved = 0  # the writer is busy up to here
        self._written = 0  # complete up to here
        self._read = 0
        self.dropped = 0

    def write(self, block):
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

    def read(self, limit, newest=False):
        """Copies out at most `limit` sample frames, the oldest first.

        :param newest: to drop older ones than the newest `limit`
        :return: (position of the first, float32 [n, channels], how many were lost before it)
        """
        written = self._written
        start = max(self._read, written - (limit if newest else self._capacity))
        n = min(limit, written - start)
        at = start % self._capacity
        first = min(n, self._capacity - at)
        block = np.concatenate((self._data[at : at + first], self._data[: n - first]))
        # what the writer has begun to overwrite since then is not to be trusted
        torn = min(n, max(0, self._reserved - self._capacity - start))
        lost = start + torn - self._read
        self._read = start + n
        self.dropped += lost
        return start + torn, block[torn:], lost

    @property
    def waiting(self):
        """Sample frames that can be read now."""
        return min(self._written - self._read, self._capacity)
