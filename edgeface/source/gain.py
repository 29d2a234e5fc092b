"""Amplifies a microphone that is too quiet: by a fixed factor, or by one that follows the voice."""

import numpy as np

from ..core.rates import SAMPLE_RATE_HZ

_PIECE_SAMPLES = SAMPLE_RATE_HZ // 100  # whose peak is looked at
_TARGET_PEAK = 0.25  # -12 dBFS: the loudest sound of a voice
_MOST_AUTOMATIC = 31.6  # +30 dB
_FLOOR_PEAK = 1e-3  # -60 dBFS: what stays below it all the time is no voice
_NOISE_FACTOR = 4.0  # a voice is 12 dB above what there is between words, at least
_RISE_PER_S = 1.122  # 1 dB
_RECENT_S = 3.0  # a peak is forgotten with this time constant
_NOISE_RISE_PER_S = 1.26  # 2 dB


class Gain:
    """Amplifies sound; never beyond full scale.

    The automatic gain only raises what is quiet, by 30 dB at most. It rises by 1 dB a second
    while a voice stands out from the noise, and falls at once where it would clip.

    :param fixed_db: gain that is always applied, in dB
    :param automatic: whether to raise a quiet voice further
    """

    def __init__(self, fixed_db: float = 0.0, automatic: bool = False) -> None:
        self._fixed = np.float32(10.0 ** (fixed_db / 20.0))
        self._automatic = automatic
        self._raised = 1.0  # automatic factor
        self._peak = 0.0  # of the last seconds, after the fixed gain
        self._noise = 1.0  # lowest peak of a block, rising slowly

    @property
    def raised_db(self) -> float:
        """The automatic gain in dB."""
        return float(20.0 * np.log10(self._raised))

    def apply(self, samples: np.ndarray) -> np.ndarray:
        """The amplified sound.

        :param samples: float32 [n], -1..1
        :return: float32 [n], -1..1
        """
        if not len(samples) or (self._fixed == 1.0 and not self._automatic):
            return samples
        samples = samples * self._fixed
        if self._automatic:
            pieces = range(0, len(samples), _PIECE_SAMPLES)
            samples = np.concatenate([self._raise(samples[i : i + _PIECE_SAMPLES]) for i in pieces])
        return np.clip(samples, -1.0, 1.0)

    def _raise(self, piece: np.ndarray) -> np.ndarray:
        before = self._raised
        self._follow(float(np.abs(piece).max()), len(piece) / SAMPLE_RATE_HZ)
        return piece * np.linspace(before, self._raised, len(piece), dtype=np.float32)

    def _follow(self, peak: float, seconds: float) -> None:
        """Takes the peak of a block into account."""
        self._peak = max(peak, self._peak * float(np.exp(-seconds / _RECENT_S)))
        self._noise = min(peak, self._noise * _NOISE_RISE_PER_S**seconds)
        is_voice = peak > _NOISE_FACTOR * self._noise and self._peak > _FLOOR_PEAK
        wanted = min(_MOST_AUTOMATIC, max(1.0, _TARGET_PEAK / max(self._peak, _FLOOR_PEAK)))
        if wanted < self._raised:
            self._raised = max(wanted, self._raised * 0.5)
        elif is_voice:
            self._raised = min(wanted, self._raised * _RISE_PER_S**seconds)


NO_GAIN = Gain()
