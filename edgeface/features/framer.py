"""Cuts a stream of samples into overlapping blocks of fixed size."""

from typing import Optional, Tuple

import numpy as np


def overlapping(samples: np.ndarray, size: int, hop: int) -> np.ndarray:
    """All pieces of so many samples that begin every `hop` ones, [m, size]: not copies.

    :param samples: float32 [n], contiguous
    """
    count = max(0, 1 + (len(samples) - size) // hop)
    strides = (hop * samples.itemsize, samples.itemsize)
    return np.ndarray((count, size), samples.dtype, samples, 0, strides)


class Framer:
    """Turns chunks of any length into blocks of always the same shape.

    Features computed on such blocks cannot depend on how the stream was
    chunked, not even in the last bit.

    :param window_samples: samples that one block spans
    :param hop_samples: samples from the start of one block to the next, at
        most `window_samples`
    """

    def __init__(self, window_samples: int, hop_samples: int) -> None:
        if not 0 < hop_samples <= window_samples:
            raise ValueError(f"hop must lie between 1 and the window, {window_samples}")
        self.window_samples = window_samples
        self.hop_samples = hop_samples
        self.reset()

    def reset(self) -> None:
        """Forgets all samples."""
        self._pending = np.zeros(0, np.float32)

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """Takes float32 [n]; returns the blocks now complete, float32 [m, window].

        They overlap in memory: only to be read.
        """
        pending = np.concatenate((self._pending, samples))
        blocks = overlapping(pending, self.window_samples, self.hop_samples)
        self._pending = pending[len(blocks) * self.hop_samples :].copy()
        return blocks

    def flush(self, samples_per_frame: int) -> Tuple[Optional[np.ndarray], int]:
        """Pads what is left with zeros to one block.

        :param samples_per_frame: length of the analysis window of one feature
            frame; only frames whose window lies in real samples count
        :return: (block or None, how many of its samples are real)
        """
        real = len(self._pending)
        if real < samples_per_frame:
            self.reset()
            return None, 0
        block = np.zeros(self.window_samples, np.float32)
        block[:real] = self._pending
        self.reset()
        return block, real
