"""A resampler whose ratio may change from block to block, to follow another device's clock."""

import numpy as np

_HALF = 16  # taps on each side
_PHASES = 256


def _table():
    """Kaiser-windowed sinc: [phases + 1, taps]; row p is for a sample p / phases after tap HALF - 1."""
    offset = np.arange(-_HALF + 1, _HALF + 1)[None] - np.arange(_PHASES + 1)[:, None] / _PHASES
    window = np.i0(8.0 * np.sqrt(np.maximum(0.0, 1.0 - (offset / _HALF) ** 2))) / np.i0(8.0)
    table = np.sinc(offset) * window
    return (table / table.sum(axis=1, keepdims=True)).astype(np.float32)


class VariableResampler:
    """Band-limited interpolation, after J. O. Smith, "Digital audio resampling" (2002).

    The ratio must not be below 1: nothing is filtered out.
    """

    delay = _HALF  # input samples that an output sample needs after its own moment

    def __init__(self):
        self._table = _table()
        self.reset()

    def reset(self):
        """Starts a new stream, preceded by silence."""
        self._history = np.zeros(2 * _HALF, np.float32)
        self._next = float(_HALF)  # moment of the next output sample, in samples of the history

    @property
    def behind(self):
        """Input samples by which the next output sample lies before the next input sample."""
        return len(self._history) - self._next

    def accept(self, samples, ratio):
        """Takes float32 [n]; returns float32 [m], about n * ratio samples."""
        history = np.concatenate((self._history, samples))
        last = len(history) - _HALF  # the first moment for which taps are missing
        moments = self._next + np.arange(max(0, int(np.ceil((last - self._next) * ratio)))) / ratio
        moments = moments[moments < last]  # a ratio of just over 1 rounds one too many
        whole = moments.astype(np.int64)
        phase = (moments - whole) * _PHASES
        row = phase.astype(np.int64)
        share = (phase - row).astype(np.float32)[:, None]
        taps = history[whole[:, None] + np.arange(-_HALF + 1, _HALF + 1)[None]]
        kernel = self._table[row] * (1 - share) + self._table[row + 1] * share
        self._next += len(moments) / ratio
        dropped = int(self._next) - _HALF
        self._history = history[dropped:]
        self._next -= dropped
        return (taps * kernel).sum(axis=1)
