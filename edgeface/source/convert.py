"""Any sampling rate and number of channels to 16 kHz mono, as a stream."""

import numpy as np
import soxr

from ..core.rates import SAMPLE_RATE_HZ

LOWEST_RATE_HZ = 2000
HIGHEST_RATE_HZ = 768000


class Converter:
    """Mixes channels to their mean and resamples.

    :param rate_hz: rate of what comes in, 2000 to 768000
    """

    def __init__(self, rate_hz):
        self._resampler = None
        if rate_hz != SAMPLE_RATE_HZ:
            self._resampler = soxr.ResampleStream(
                rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ"
            )

    def accept(self, block, last=False):
        """Takes float32 [n, channels]; returns float32 [m], what is known by now.

        :param last: whether nothing follows, so that everything must come out
        """
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono), last=last)
        return np.clip(mono, -1.0, 1.0).astype(np.float32)
