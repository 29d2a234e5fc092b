"""Fundamental frequency (F0) as a stream.

Boersma's autocorrelation method ("Accurate short-term analysis of the
fundamental frequency", 1993) with the settings of the original pipeline: every
20 ms, 80 to 750 Hz, voicing threshold 0.6. Two things differ from the offline
method, because a stream has no end: the path through the candidates is decided
with a fixed lag, and loudness is relative to a running peak.
"""

from typing import List, Optional, Tuple

import numpy as np

from ..core.rates import SAMPLE_RATE_HZ
from .framer import Framer

FLOOR_HZ = 80.0
CEILING_HZ = 750.0
SHIFT_SAMPLES = 320
WINDOW_SAMPLES = 600  # three periods of the floor
_OFFSET_SAMPLES = 20  # the first window is centred at 20 ms
_FFT_SIZE = 1024  # window plus longest lag, rounded up
_CANDIDATES = 14
_VOICING_THRESHOLD = 0.6
_SILENCE_THRESHOLD = 0.03
_OCTAVE_COST = 0.01
# both scaled by 10 ms / 20 ms, as the method does for its time step
_OCTAVE_JUMP_COST = 0.35 * 0.5
_VOICING_JUMP_COST = 0.14 * 0.5
# so that one bang does not make a kiosk deaf
_PEAK_HALF_LIFE_S = 30.0
_PEAK_DECAY = 0.5 ** (SHIFT_SAMPLES / SAMPLE_RATE_HZ / _PEAK_HALF_LIFE_S)


def _hann() -> np.ndarray:
    n = np.arange(WINDOW_SAMPLES) + 0.5
    return 0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW_SAMPLES)


class F0:
    """Streaming F0: value i belongs to the time 20 ms + 20 ms i.

    :param lag: how many values later one is decided, 0 to 2; each costs 20 ms and avoids
        voicing errors
    """

    def __init__(self, lag: int = 2) -> None:
        self.lag = lag
        self._framer = Framer(_OFFSET_SAMPLES + WINDOW_SAMPLES, SHIFT_SAMPLES)
        self._window = _hann()
        self._first_lag = int(np.floor(SAMPLE_RATE_HZ / CEILING_HZ))
        self._last_lag = int(np.ceil(SAMPLE_RATE_HZ / FLOOR_HZ))
        window_correlation = self._autocorrelation(self._window)
        self._lag_gain = window_correlation[0] / window_correlation[: self._last_lag + 2]
        self.reset()

    def reset(self) -> None:
        """Forgets all samples and the path."""
        self._framer.reset()
        self._peak = 1e-9
        self._score: Optional[np.ndarray] = None  # of the last candidates
        self._last_hz = np.zeros(0)  # of the last candidates
        # (candidates in Hz, back pointers), the newest last, at most lag + 1
        self._history: List[Tuple[np.ndarray, np.ndarray]] = []

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """Takes sound.

        :param samples: float32 [n], -1..1, 16 kHz
        :return: the values now decided in Hz, float32 [m], 0 where unvoiced
        """
        values = []
        for block in self._framer.accept(samples):
            self._advance(block[_OFFSET_SAMPLES:].astype(np.float64))
            if len(self._history) > self.lag:
                values.append(self._decide(self.lag))
                self._history.pop(0)
        return np.array(values, np.float32)

    def finish(self) -> np.ndarray:
        """The last `lag` values, float32 [m]; then `reset`."""
        values = [self._decide(back) for back in range(len(self._history) - 1, -1, -1)]
        self.reset()
        return np.array(values, np.float32)

    def _autocorrelation(self, x: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(x, _FFT_SIZE)
        return np.fft.irfft(spectrum.real**2 + spectrum.imag**2)

    def _candidates(self, frame: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
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
        before = r[self._first_lag - 1 : -2]
        here = r[self._first_lag : -1]
        after = r[self._first_lag + 1 :]
        tops = np.flatnonzero((here > before) & (here >= after) & (here > 0.5 * _VOICING_THRESHOLD))
        slope = 0.5 * (after[tops] - before[tops])
        bend = 2.0 * here[tops] - before[tops] - after[tops]
        lags = self._first_lag + tops + slope / bend
        heights = here[tops] + 0.5 * slope * slope / bend
        heights = np.where(heights > 1.0, 1.0 / heights, heights)
        hz = SAMPLE_RATE_HZ / lags
        strengths = heights + _OCTAVE_COST * np.log2(hz / FLOOR_HZ)
        valid = (hz >= FLOOR_HZ) & (hz <= CEILING_HZ)
        hz, strengths = hz[valid], strengths[valid]
        if len(hz) > _CANDIDATES:
            best = np.argsort(-strengths, kind="stable")[:_CANDIDATES]
            hz, strengths = hz[best], strengths[best]
        return np.concatenate(([0.0], hz)), np.concatenate(([unvoiced], strengths))

    def _advance(self, frame: np.ndarray) -> None:
        hz, strength = self._candidates(frame)
        if self._score is None:
            self._score = strength
            pointers = np.zeros(len(hz), np.intp)
        else:
            previous = self._history[-1][0] if self._history else self._last_hz
            voiced = hz > 0.0
            was = previous > 0.0  # voiced
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

    def _decide(self, back: int) -> float:
        """The value so many values before the newest one, in Hz."""
        assert self._score is not None
        at = int(self._score.argmax())
        for step in range(back):
            at = int(self._history[-1 - step][1][at])
        return self._history[-1 - back][0][at]
