"""Changes of voice, room, microphone and level that must not change the face."""

import numpy as np
import soxr
from scipy.signal import fftconvolve

from ..features import SAMPLE_RATE_HZ


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
        moved = np.exp(self._log_envelope[:, low] * (1 - part) + self._log_envelope[:, low + 1] * part)
        y = self._world.synthesize(self._f0_hz * pitch, np.ascontiguousarray(moved), self._noise, SAMPLE_RATE_HZ)
        return np.pad(y, (0, max(0, self._samples - len(y))))[:self._samples].astype(np.float32)


def change_speed(samples, motion, factor):
    """Faster (above 1) or slower speech together with its motion; pitch and formants move along.

    :param motion: list of arrays [T, ...], resampled linearly to the new length
    """
    samples = soxr.resample(samples, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ, quality="MQ")
    frames = len(samples) // 640
    moved = []
    for track in motion:
        at = np.minimum(np.arange(frames) * factor, len(track) - 1.001)
        low = at.astype(int)
        part = (at - low).reshape((-1,) + (1,) * (track.ndim - 1)).astype(np.float32)
        moved.append(track[low] * (1 - part) + track[low + 1] * part)
    return samples[:frames * 640], moved


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
        tone = sum(np.sin(2 * np.pi * hz * k * t + rng.uniform(0, 6.3)) / k ** rng.uniform(0.3, 2)
                   for k in range(1, partials + 1) if hz * k < 7500)
        if rng.random() < 0.6:  # notes
            period_s = rng.uniform(0.15, 0.8)
            phase = (t / period_s + rng.random()) % 1.0
            tone = tone * np.exp(-rng.uniform(0, 5) * phase)
        out = out + tone * rng.uniform(0.2, 1)
    return (out / (out.std() + 1e-9)).astype(np.float32)


def room(rng, samples):
    """Early reflections and a decaying tail, direct sound first and undelayed."""
    decay_s = rng.uniform(0.08, 0.5)
    n = int(decay_s * SAMPLE_RATE_HZ)
    response = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    response *= rng.uniform(0.05, 0.35) / np.sqrt((response ** 2).sum() + 1e-9)
    response[0] = 1.0
    return fftconvolve(samples, response)[:len(samples)].astype(np.float32)


def microphone(rng, samples):
    """A random smooth frequency response, sometimes band-limited like a telephone."""
    n = len(samples)
    hz = np.fft.rfftfreq(n, 1.0 / SAMPLE_RATE_HZ)
    knots = np.array([0.0, 150, 400, 1000, 2500, 5000, 8000])
    gain_db = np.interp(hz, knots, rng.normal(0, 4, len(knots)))
    if rng.random() < 0.3:
        gain_db = gain_db - 60.0 * np.clip((hz - rng.uniform(3300, 4000)) / 300.0, 0, 1)
    if rng.random() < 0.15:
        gain_db = gain_db - 30.0 * np.clip((rng.uniform(100, 300) - hz) / 100.0, 0, 1)
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (gain_db / 20), n).astype(np.float32)


def level_db(samples):
    """Level in dB of the loud parts: mean power of the frames above the median."""
    power = (samples[:len(samples) // 640 * 640].reshape(-1, 640) ** 2).mean(1)
    return 10 * np.log10(power[power >= np.median(power)].mean() + 1e-12)


def warp_mels(fbank, factor):
    """Fbank [T, 80] as of a vocal tract that is shorter by `factor`: all frequencies move up by it.

    After Jaitly and Hinton, 2013: Vocal Tract Length Perturbation (VTLP) improves speech recognition.
    """
    low, high = 1127.0 * np.log(1.0 + np.array([20.0, 8000.0]) / 700.0)
    step = (high - low) / 81
    hz = 700.0 * np.expm1((low + step * np.arange(1, 81)) / 1127.0)
    source = np.clip((1127.0 * np.log(1.0 + hz / factor / 700.0) - low) / step - 1, 0, 79)
    lower = np.minimum(source.astype(int), 78)
    part = (source - lower).astype(np.float32)
    return fbank[:, lower] * (1 - part) + fbank[:, lower + 1] * part
