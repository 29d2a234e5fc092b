"""Notices a microphone that is muted, or far too quiet."""

from typing import Optional

import numpy as np

from ..core.rates import SAMPLE_RATE_HZ

ZERO_PEAK = 1e-5  # less than one step of 16 bits: no microphone is as quiet
QUIET_PEAK = 1e-3  # -60 dBFS
_ZERO_SAMPLES = 10 * SAMPLE_RATE_HZ
_QUIET_SAMPLES = 300 * SAMPLE_RATE_HZ
_REPEAT_SAMPLES = 3600 * SAMPLE_RATE_HZ


class LevelWatch:
    """Says once that nothing, or hardly anything, is heard.

    It says so again only if something was heard meanwhile, and at most once an hour.
    """

    def __init__(self) -> None:
        self._zero_samples = 0  # since anything was heard
        self._quiet_samples = 0  # since anything loud enough was heard
        self._peak = 0.0  # meanwhile
        self._said = False
        self._passed_samples = _REPEAT_SAMPLES  # since it was said

    def accept(self, samples: np.ndarray) -> Optional[str]:
        """Takes sound; what to say about it, if anything.

        :param samples: float32 [n], 16 kHz mono, n > 0
        """
        self._passed_samples += len(samples)
        peak = float(np.abs(samples).max())
        if peak > QUIET_PEAK:
            self._zero_samples = self._quiet_samples = 0
            self._peak = 0.0
            self._said = False
            return None
        self._peak = max(self._peak, peak)
        self._quiet_samples += len(samples)
        self._zero_samples = self._zero_samples + len(samples) if peak < ZERO_PEAK else 0
        if self._said or self._passed_samples < _REPEAT_SAMPLES:
            return None
        found = self._found()
        if found is not None:
            self._said = True
            self._passed_samples = 0
        return found

    def _found(self) -> Optional[str]:
        if self._zero_samples >= _ZERO_SAMPLES:
            return "delivers digital silence; check that it is not muted"
        if self._quiet_samples < _QUIET_SAMPLES:
            return None
        loudest_dbfs = 20.0 * np.log10(max(self._peak, ZERO_PEAK))
        return (
            f"is very quiet, {loudest_dbfs:.0f} dBFS at most in 5 minutes;"
            " raise its level, or audio.gain_db"
        )
