"""Fundamental frequency (F0) as a stream.

Boersma's autocorrelation method ("Accurate short-term analysis of the
fundamental frequency", 1993) with the settings of the original pipeline: every
20 ms, 80 to 750 Hz, voicing threshold 0.6. Two things differ from the offline
method, because a stream has no end: the path through the candidates is decided
with a fixed lag, and loudness is judged against a running peak.
"""

import numpy as np

from .framer import Framer

FLOOR_HZ = 80.0
CEILING_HZ = 750.0
SHIFT_SAMPLES = 320
WINDOW_SAMPLES = 600  # three periods of the floor
_OFFSET_SAMPLES = 20  # the first window is centred at 20 ms
_RATE_HZ = 16000.0
_FFT_SIZE = 1024  # window plus longest lag, rounded up
_CANDIDATES = 14
_VOICING_THRESHOLD = 0.6
_SILENCE_THRESHOLD = 0.03
_OCTAVE_COST = 0.01
# both scaled by 10 ms / 20 ms, as the method does for its time step
_OCTAVE_JUMP_COST = 0.35 * 0.5
_VOICING_JUMP_COST = 0.14 * 0.5
# the peak halves in 30 s, so that one bang does not make a kiosk deaf
_PEAK_DECAY = 0.5 ** (SHIFT_SAMPLES / _RATE_HZ / 30.0)


def _hann():
    n = np.arange(WINDOW_SAMPLES) + 0.5
    return 0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW_SAMPLES)


class F0:
    """Streaming F0: value i belongs to the time 20 ms + 20 ms i.

    :param lag: values that the path is decided after, 0 to 2; each costs 20 ms
        and brings fewer voicing errors
    """

    def __init__(self, lag=2):
        self.lag = lag
        self._framer = Framer(_OFFSET_SAMPLES + WINDOW_SAMPLES, SHIFT_SAMPLES)
        self._window = _hann()
        self._first_lag = int(np.floor(_RATE_HZ / CEILING_HZ))
        self._last_lag = int(np.ceil(_RATE_HZ / FLOOR_HZ))
        window_correlation = self._autocorrelation(self._window)
        self._lag_gain = window_correlation[0] / window_correlation[: self._last_lag + 2]
        self.reset()

    def reset(self):
        """Forgets all samples and the path."""
        self._framer.reset()
        self._peak = 1e-9
        self._score = None
        self._history = []  # (candidate Hz, back pointers), the newest last, at most lag + 1

    def accept(self, samples):
        """Takes float32 [n] in -1..1 at 16 kHz; returns the values now decided, float32 [m], 0 = unvoiced."""
        values = []
        for block in self._framer.accept(samples):
            self._advance(block[_OFFSET_SAMPLES:].astype(np.float64))
            if len(self._history) > self.lag:
                values.append(self._decide(self.lag))
                self._history.pop(0)
        return np.array(values, np.float32)

    def finish(self):
        """The last `lag` values, float32 [m]; the stream starts anew."""
        values = [self._decide(back) for back in range(len(self._history) - 1, -1, -1)]
        self.reset()
        return np.array(values, np.float32)

    def _autocorrelation(self, x):
        spectrum = np.fft.rfft(x, _FFT_SIZE)
        return np.fft.irfft(spectrum.real**2 + spectrum.imag**2)

    def _candidates(self, frame):
        """Frequencies [c] in Hz and strengths [c]; the first is 0 Hz, unvoiced."""
        frame = frame - frame.mean()
        peak = float(np.abs(frame).max())
        self._peak = max(peak, self._peak * _PEAK_DECAY)
        loudness = peak / self._peak
        unvoiced = _VOICING_THRESHOLD + max(
            0.0, 2.0 - loudness * (1.0 + _VOICING_THRESHOLD) / _SILENCE_THRESHOLD
        )
        correlation = self._autocorrelation(frame * self._window)
        if correlation[0] <= 0.0:
            return np.zeros(1), np.array([unvoiced])
        r = correlation[: self._last_lag + 2] / correlation[0] * self._lag_gain
        before, here, after = (
            r[self._first_lag - 1 : -2],
            r[self._first_lag : -1],
            r[self._first_lag + 1 :],
        )
        tops = np.flatnonzero((here > before) & (here >= after) & (here > 0.5 * _VOICING_THRESHOLD))
        slope = 0.5 * (after[tops] - before[tops])
        bend = 2.0 * here[tops] - before[tops] - after[tops]
        lags = self._first_lag + tops + slope / bend
        heights = here[tops] + 0.5 * slope * slope / bend
        heights = np.where(heights > 1.0, 1.0 / heights, heights)
        hz = _RATE_HZ / lags
        strengths = heights + _OCTAVE_COST * np.log2(hz / FLOOR_HZ)
        valid = (hz >= FLOOR_HZ) & (hz <= CEILING_HZ)
        hz, strengths = hz[valid], strengths[valid]
        if len(hz) > _CANDIDATES:
            best = np.argsort(-strengths, kind="stable")[:_CANDIDATES]
            hz, strengths = hz[best], strengths[best]
        return np.concatenate(([0.0], hz)), np.concatenate(([unvoiced], strengths))

    def _advance(self, frame):
        hz, strength = self._candidates(frame)
        if self._score is None:
            self._score, pointers = strength, np.zeros(len(hz), np.intp)
        else:
            previous = self._history[-1][0] if self._history else self._last_hz
            voiced, was = hz > 0.0, previous > 0.0
            ratio = (
                np.log2(np.where(voiced, hz, 1.0))[:, None]
                - np.log2(np.where(was, previous, 1.0))[None, :]
            )
            cost = np.where(
                voiced[:, None] & was[None, :],
                _OCTAVE_JUMP_COST * np.abs(ratio),
                np.where(voiced[:, None] != was[None, :], _VOICING_JUMP_COST, 0.0),
            )
            total = self._score[None, :] - cost
            pointers = total.argmax(axis=1)
            score = strength + total.max(axis=1)
            self._score = score - score.max()  # only differences count; keeps a year's sum finite
        self._history.append((hz, pointers))
        self._last_hz = hz

    def _decide(self, back):
        at = int(self._score.argmax())
        for step in range(back):
            at = int(self._history[-1 - step][1][at])
        return self._history[-1 - back][0][at]
