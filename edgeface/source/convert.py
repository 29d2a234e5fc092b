"""Any sampling rate and number of channels to 16 kHz mono, as a stream."""

import numpy as np
import soxr

from ..core.rates import SAMPLE_RATE_HZ
from ..voice import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

__all__ = ["HIGHEST_RATE_HZ", "LOWEST_RATE_HZ", "Converter"]


class Converter:
    """Averages the channels and resamples.

    :param rate_hz: rate of the input, 2000 to 768000
    """

    def __init__(self, rate_hz: int) -> None:
        self._resampler = None
        if rate_hz != SAMPLE_RATE_HZ:
            self._resampler = soxr.ResampleStream(
                rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ"
            )

    def accept(self, block: np.ndarray, last: bool = False) -> np.ndarray:
        """Takes sound, and gives what can be resampled by now.

        :param block: float32 [n, channels]
        :param last: whether nothing follows, so that all of it must come out
        :return: float32 [m], -1..1
        """
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono), last=last)
        return np.clip(mono, -1.0, 1.0).astype(np.float32)

    def finish(self) -> np.ndarray:
        """The sound that the resampler still holds back, float32 [m]; nothing may follow."""
        return self.accept(np.zeros((0, 1), np.float32), last=True)
