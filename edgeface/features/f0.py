"""Fundamental frequency (F0) as a stream.

Boersma's autocorrelation method ("Accurate short-term analysis of the
fundamental frequency", 1993) with the settings of the original pipeline: every
20 ms, 80 to 750 Hz, voicing threshold 0.6. Two things differ from the offline
method, because a stream has no end: the path through the candidates is decided
with a fixed lag, and loudness is relative to a running peak.
"""

import math
from typing import Iterator, List, NamedTuple, Tuple

import numpy as np

from ..core.rates import SAMPLE_RATE_HZ
from .framer import Framer

FLOOR_HZ = 80.0
CEILING_HZ = 750.0
SHIFT_SAMPLES = 320
WINDOW_SAMPLES = 600  # three periods of the floor
_OFFSET_SAMPLES = 20  # the first window is centred at 20 ms
_CANDIDATES = 14
_TOGETHER = 32  # windows that are taken at once: what fits into the cache
_VOICING_THRESHOLD = 0.6
_LOWEST_PEAK = np.float32(0.5 * _VOICING_THRESHOLD)
_SILENCE_THRESHOLD = 0.03
_OCTAVE_COST = 0.01
# both scaled by 10 ms / 20 ms, as the method does for its time step
_OCTAVE_JUMP_COST = 0.35 * 0.5
_VOICING_JUMP_COST = 0.14 * 0.5
# so that one bang does not make a kiosk deaf
_PEAK_HALF_LIFE_S = 30.0
_PEAK_DECAY = 0.5 ** (SHIFT_SAMPLES / SAMPLE_RATE_HZ / _PEAK_HALF_LIFE_S)


# a frame this much in favour of being unvoiced is: a voiced candidate, of strength 1.04 at most,
# would have to bring more than the two jumps that it saves
_CERTAINLY_UNVOICED = 1.04 + 2.0 * _VOICING_JUMP_COST


class _Candidates(NamedTuple):
    """The possible values of a frame besides the unvoiced one."""

    hz: List[float]
    octaves: List[float]  # above the floor
    strengths: List[float]


_NONE = _Candidates([], [], [])


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
        self._window = _hann().astype(np.float32)
        self._first_lag = int(np.floor(SAMPLE_RATE_HZ / CEILING_HZ))
        self._last_lag = int(np.ceil(SAMPLE_RATE_HZ / FLOOR_HZ))
        self._padded = np.zeros(WINDOW_SAMPLES + self._last_lag + 1, np.float32)
        window_correlation = self._autocorrelation(self._window)
        self._lag_gain = window_correlation[0] / window_correlation
        self.reset()

    def reset(self) -> None:
        """Forgets all samples and the path."""
        self._framer.reset()
        self._peak = 1e-9
        # of the newest frame: candidates and their scores, with the unvoiced one before them
        self._octaves: List[float] = []
        self._scores = [0.0]
        # values in Hz and back pointers of frames, the newest last, at most lag + 1
        self._history: List[Tuple[List[float], List[int]]] = []

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """Takes sound.

        :param samples: float32 [n], -1..1, 16 kHz
        :return: the values now decided in Hz, float32 [m], 0 where unvoiced
        """
        values = []
        blocks = self._framer.accept(samples)
        for at in range(0, len(blocks), _TOGETHER):
            windows = blocks[at : at + _TOGETHER, _OFFSET_SAMPLES:]
            for unvoiced, voiced in self._candidates(windows):
                self._extend_path(unvoiced, voiced)
                if len(self._history) > self.lag:
                    values.append(self._decide(self.lag))
                    self._history.pop(0)
        return np.array(values, np.float32)

    def finish(self) -> np.ndarray:
        """The last `lag` values, float32 [m]; then `reset`."""
        values = [self._decide(back) for back in range(len(self._history) - 1, -1, -1)]
        self.reset()
        return np.array(values, np.float32)

    def rest(self, values: int) -> None:
        """Takes so many values of digital silence, after so much that nothing else counts."""
        for _ in range(values):
            self._peak *= _PEAK_DECAY

    def _autocorrelation(self, window: np.ndarray) -> np.ndarray:
        """Of a window, up to one lag beyond the longest; with transforms it takes twice as long."""
        self._padded[:WINDOW_SAMPLES] = window
        return np.correlate(self._padded, window)

    def _candidates(self, windows: np.ndarray) -> Iterator[Tuple[float, _Candidates]]:
        """Strength of being unvoiced, and what else there is, of each of the windows [n, 600]."""
        sums = np.add.reduce(windows, axis=1, keepdims=True)
        frames = windows - sums / np.float32(WINDOW_SAMPLES)
        peaks = np.maximum.reduce(np.abs(frames), axis=1)
        frames *= self._window
        for frame, peak in zip(frames, peaks.tolist()):
            unvoiced = self._unvoiced(peak)
            yield unvoiced, self._voiced(frame) if unvoiced <= _CERTAINLY_UNVOICED else _NONE

    def _unvoiced(self, peak: float) -> float:
        """Strength of being unvoiced, which grows in silence, of the next window's peak."""
        self._peak = max(peak, self._peak * _PEAK_DECAY)
        loudness = peak / self._peak
        return _VOICING_THRESHOLD + max(
            0.0, 2.0 - loudness * (1.0 + _VOICING_THRESHOLD) / _SILENCE_THRESHOLD
        )

    def _voiced(self, frame: np.ndarray) -> _Candidates:
        """Peaks of the autocorrelation of a frame, float32 [600], windowed."""
        correlation = self._autocorrelation(frame)
        r = correlation / correlation[0] * self._lag_gain
        rises = r[self._first_lag - 1 : -1] < r[self._first_lag :]
        high = r[self._first_lag : -1] > _LOWEST_PEAK
        found: List[Tuple[float, float, float]] = []
        for top in (rises[:-1] & ~rises[1:] & high).nonzero()[0].tolist():
            lag = self._first_lag + top
            # plain numbers, since there are few
            before, here, after = r[lag - 1 : lag + 2].tolist()
            slope = 0.5 * (after - before)
            bend = 2.0 * here - before - after
            hz = SAMPLE_RATE_HZ / (lag + slope / bend)
            if FLOOR_HZ <= hz <= CEILING_HZ:
                height = here + 0.5 * slope * slope / bend
                octaves = math.log2(hz / FLOOR_HZ)
                strength = min(height, 1.0 / height) + _OCTAVE_COST * octaves
                found.append((hz, octaves, strength))
        return _best(found)

    def _extend_path(self, unvoiced: float, voiced: _Candidates) -> None:
        """The best way to each candidate of a frame from those of the frame before."""
        cost = _VOICING_JUMP_COST
        before, *others = self._scores
        totals = [before] + [score - cost for score in others]
        best = max(totals)
        scores = [best + unvoiced]
        pointers = [totals.index(best)]
        for octaves, strength in zip(voiced.octaves, voiced.strengths):
            totals = [before - cost]
            for score, was in zip(others, self._octaves):
                totals.append(score - _OCTAVE_JUMP_COST * abs(octaves - was))
            best = max(totals)
            scores.append(best + strength)
            pointers.append(totals.index(best))
        best = max(scores)  # only differences count; keeps a year's sum finite
        self._scores = [score - best for score in scores]
        self._octaves = voiced.octaves
        self._history.append(([0.0] + voiced.hz, pointers))

    def _decide(self, back: int) -> float:
        """The value so many values before the newest one, in Hz."""
        at = self._scores.index(max(self._scores))
        for step in range(back):
            at = self._history[-1 - step][1][at]
        return self._history[-1 - back][0][at]


def _best(found: List[Tuple[float, float, float]]) -> _Candidates:
    """The strongest candidates of a window, each Hz, octaves and strength."""
    if len(found) > _CANDIDATES:
        found = sorted(found, key=lambda candidate: -candidate[2])[:_CANDIDATES]
    return _Candidates(*map(list, zip(*found))) if found else _NONE
