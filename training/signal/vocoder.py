"""Altered voices, by the WORLD vocoder."""

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ


class Voice:
    """What the WORLD vocoder finds in speech, so that other talkers say the same at the same time.

    :param samples: float32 [N] at 16 kHz
    """

    def __init__(self, samples: np.ndarray):
        import pyworld  # needed for nothing else

        x = samples.astype(np.float64)
        self._samples = len(x)
        self._world = pyworld
        self._f0_hz, time_s = pyworld.harvest(x, SAMPLE_RATE_HZ, f0_floor=60.0, f0_ceil=500.0)
        self._log_envelope = np.log(pyworld.cheaptrick(x, self._f0_hz, time_s, SAMPLE_RATE_HZ))
        self._noise = pyworld.d4c(x, self._f0_hz, time_s, SAMPLE_RATE_HZ)

    def changed(self, pitch: float, formants: float) -> np.ndarray:
        """Speech of another talker.

        :param pitch: factor on F0
        :param formants: factor on the formant frequencies (a shorter vocal tract above 1)
        :return: float32 [N]
        """
        bins = np.arange(self._log_envelope.shape[1])
        source = bins / formants
        low = np.clip(source.astype(int), 0, len(bins) - 2)
        part = np.clip(source - low, 0.0, 1.0)
        below = self._log_envelope[:, low] * (1 - part)
        above = self._log_envelope[:, low + 1] * part
        envelope = np.ascontiguousarray(np.exp(below + above))
        y = self._world.synthesize(self._f0_hz * pitch, envelope, self._noise, SAMPLE_RATE_HZ)
        y = np.pad(y, (0, max(0, self._samples - len(y))))
        return y[: self._samples].astype(np.float32)
