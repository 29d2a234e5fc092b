"""Other voices, and noises by which a bundle is judged; those of the training are in `spectra` and `batches`."""

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ


class Voice:
    """What the WORLD vocoder finds in speech, so that other talkers say the same at the same time.

    :param samples: float32 [N] at 16 kHz
    """

    def __init__(self, samples):
        import pyworld  # needed for nothing else

        x = samples.astype(np.float64)
        self._samples, self._world = len(x), pyworld
        self._f0_hz, time_s = pyworld.harvest(x, SAMPLE_RATE_HZ, f0_floor=60.0, f0_ceil=500.0)
        self._log_envelope = np.log(pyworld.cheaptrick(x, self._f0_hz, time_s, SAMPLE_RATE_HZ))
        self._noise = pyworld.d4c(x, self._f0_hz, time_s, SAMPLE_RATE_HZ)

    def changed(self, pitch, formants):
        """Another talker.

        :param pitch: factor on F0
        :param formants: factor on the formant frequencies (a shorter vocal tract above 1)
        :return: float32 [N]
        """
        bins = np.arange(self._log_envelope.shape[1])
        source = bins / formants
        low = np.clip(source.astype(int), 0, len(bins) - 2)
        part = np.clip(source - low, 0.0, 1.0)
        moved = np.exp(
            self._log_envelope[:, low] * (1 - part) + self._log_envelope[:, low + 1] * part
        )
        y = self._world.synthesize(
            self._f0_hz * pitch, np.ascontiguousarray(moved), self._noise, SAMPLE_RATE_HZ
        )
        return np.pad(y, (0, max(0, self._samples - len(y))))[: self._samples].astype(np.float32)


def coloured_noise(rng, n, slope):
    """Noise float32 [n] of unit level whose power falls with frequency to the power `slope`."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum *= np.maximum(np.arange(len(spectrum)), n / 400.0) ** (-slope / 2)
    noise = np.fft.irfft(spectrum, n)
    return (noise / (noise.std() + 1e-9)).astype(np.float32)


def hum(rng, n):
    """Mains hum, fans or held chords: steady or plucked harmonics, float32 [n] of unit level."""
    t = np.arange(n) / SAMPLE_RATE_HZ
    out = np.zeros(n)
    for _ in range(rng.integers(1, 5)):
        hz = np.exp(rng.uniform(np.log(50), np.log(800)))
        partials = rng.integers(1, 12)
        tone = sum(
            np.sin(2 * np.pi * hz * k * t + rng.uniform(0, 6.3)) / k ** rng.uniform(0.3, 2)
            for k in range(1, partials + 1)
            if hz * k < 7500
        )
        if rng.random() < 0.6:  # notes
            period_s = rng.uniform(0.15, 0.8)
            phase = (t / period_s + rng.random()) % 1.0
            tone = tone * np.exp(-rng.uniform(0, 5) * phase)
        out = out + tone * rng.uniform(0.2, 1)
    return (out / (out.std() + 1e-9)).astype(np.float32)


def level_db(samples):
    """Level in dB of the loud parts: mean power of the frames above the median."""
    power = (samples[: len(samples) // 640 * 640].reshape(-1, 640) ** 2).mean(1)
    return 10 * np.log10(power[power >= np.median(power)].mean() + 1e-12)
