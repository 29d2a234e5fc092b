"""A resampler whose ratio may change from block to block, to follow another device's clock."""

import numpy as np

_HALF = 16  # taps on each side
_PHASES = 256


def _table() -> np.ndarray:
    """Kaiser-windowed sinc [phases + 1, taps].

    Row p is for a sample p / phases after tap _HALF - 1.
    """
    offset = np.arange(-_HALF + 1, _HALF + 1)[None] - np.arange(_PHASES + 1)[:, None] / _PHASES
    window = np.i0(8.0 * np.sqrt(np.maximum(0.0, 1.0 - (offset / _HALF) ** 2))) / np.i0(8.0)
    table = np.sinc(offset) * window
    return (table / table.sum(axis=1, keepdims=True)).astype(np.float32)


class VariableResampler:
    """Band-limited interpolation, after J. O. Smith, "Digital audio resampling" (2002).

    It filters nothing out: the ratio must not be below 1.
    """

    delay = _HALF  # input samples that an output sample needs after its own moment

    def __init__(self) -> None:
        self._table = _table()
        self.reset()

    def reset(self) -> None:
        """Starts a new stream, preceded by silence."""
        self._history = np.zeros(2 * _HALF, np.float32)
        self._next = float(_HALF)  # moment of the next output sample, in samples of the history

    @property
    def behind(self) -> float:
        """Input samples by which the next output sample lies before the next input sample."""
        return len(self._history) - self._next

    def accept(self, samples: np.ndarray, ratio: float) -> np.ndarray:
        """Takes samples, and gives what can be interpolated by now.

        :param samples: float32 [n]
        :param ratio: output samples per input sample, at least 1
        :return: float32 [m], about n * ratio samples
        """
        history = np.concatenate((self._history, samples))
        last = len(history) - _HALF  # the first moment for which taps are missing
        count = max(0, int(np.ceil((last - self._next) * ratio)))
        moments = self._next + np.arange(count) / ratio
        moments = moments[moments < last]  # a ratio of just over 1 rounds one too many
        whole = moments.astype(np.int64)
        phase = (moments - whole) * _PHASES
        row = phase.astype(np.int64)
        share = (phase - row).astype(np.float32)[:, None]
        taps = history[whole[:, None] + np.arange(-_HALF + 1, _HALF + 1)[None]]
        kernel = self._table[row] * (1 - share) + self._table[row + 1] * share
        self._next += len(moments) / ratio
        used_up = int(self._next) - _HALF
        self._history = history[used_up:]
        self._next -= used_up
        return (taps * kernel).sum(axis=1)
