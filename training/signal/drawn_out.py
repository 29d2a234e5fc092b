"""Held vowels and slow speech, made of speech by the WORLD vocoder."""

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ

KINDS = ("steady", "with vibrato", "as a melody")

_STEP_S = 0.005  # of the vocoder
_VOICE_HZ = (60.0, 600.0)
_WITHIN = 5  # steps to either side of the middle of a vowel, among which a held one wanders
_STEADY = 6  # steps across which a vowel's middle changes little
_CHANGE = 6.0  # dB that weigh as much as a change of all bins by a factor of e
_BEGINS = 0.1  # of a recording, before which no vowel is looked for
_WAVERING = 0.012  # of F0, by chance
_VIBRATO_HZ = 5.5
_VIBRATO = 0.6 / 12  # octaves
_NOTE_S = 0.5
_NOTES = np.array((0, 2, 4, -1, 3, 0, 5, 2, -2, 0)) / 12  # octaves
_GLIDE = 21  # steps from note to note


class DrawnOut:
    """What the WORLD vocoder finds in speech, and what can be made to last longer.

    :param samples: float32 [N] at 16 kHz
    """

    def __init__(self, samples: np.ndarray):
        import pyworld  # needed for nothing else

        x = samples.astype(np.float64)
        low, high = _VOICE_HZ
        self._world = pyworld
        self._f0_hz, time_s = pyworld.harvest(x, SAMPLE_RATE_HZ, f0_floor=low, f0_ceil=high)
        self._log_envelope = np.log(pyworld.cheaptrick(x, self._f0_hz, time_s, SAMPLE_RATE_HZ))
        self._noise = pyworld.d4c(x, self._f0_hz, time_s, SAMPLE_RATE_HZ)
        self._middle = self._find_vowel()
        self.vowel_s = _STEP_S * self._middle
        """The middle of a vowel, loud and steady."""

    def slower(self, factor: float) -> np.ndarray:
        """The same `factor` times as slowly, float32 [N factor]."""
        count = int(factor * len(self._f0_hz))
        at = np.minimum(np.arange(count) / factor, len(self._f0_hz) - 1)
        return self._speak(np.round(at).astype(int))

    def holding(self, seconds: float, kind: str, seed: int) -> np.ndarray:
        """The same, but its vowel lasts so much longer, from `vowel_s` on; float32.

        :param kind: of `KINDS`
        """
        rng = np.random.default_rng(seed)
        steps = int(seconds / _STEP_S)
        wandering = np.sin(0.3 * np.cumsum(0.3 * rng.standard_normal(steps)))
        held = self._middle + np.round(_WITHIN * wandering).astype(int)
        around = self._f0_hz[self._middle - _WITHIN : self._middle + _WITHIN + 1]
        f0_hz = np.median(around[around > 0]) * 2 ** _octaves(rng, steps, kind)
        everything = np.arange(len(self._f0_hz))
        at = np.concatenate((everything[: self._middle], held, everything[self._middle :]))
        return self._speak(np.clip(at, 0, len(everything) - 1), f0_hz)

    def _find_vowel(self) -> int:
        level_db = 10 * np.log10(np.exp(self._log_envelope).mean(1))
        change = np.abs(self._log_envelope[_STEADY:] - self._log_envelope[:-_STEADY]).mean(1)
        score = level_db - _CHANGE * np.pad(change, _STEADY // 2, "edge")
        voiced = self._f0_hz > 0
        voiced[: int(_BEGINS * len(voiced))] = False
        return max(_WITHIN, int(np.argmax(np.where(voiced, score, -np.inf))))

    def _speak(self, at: np.ndarray, held_f0_hz: np.ndarray = np.zeros(0)) -> np.ndarray:
        """Speech of the steps `at`, with the F0 of a held vowel."""
        f0_hz = self._f0_hz[at]
        f0_hz[self._middle : self._middle + len(held_f0_hz)] = held_f0_hz
        spoken = self._world.synthesize(
            f0_hz, np.exp(self._log_envelope[at]), self._noise[at], SAMPLE_RATE_HZ
        )
        return spoken.astype(np.float32)


def _octaves(rng: np.random.Generator, steps: int, kind: str) -> np.ndarray:
    """By how much F0 is higher than in the middle of the vowel, [steps]."""
    time_s = _STEP_S * np.arange(steps)
    octaves = _WAVERING * np.convolve(rng.standard_normal(steps + 19), np.ones(20) / 20, "valid")
    if kind != KINDS[0]:
        octaves += _VIBRATO * np.sin(2 * np.pi * _VIBRATO_HZ * time_s)
    if kind == KINDS[2]:
        notes = np.pad(_NOTES[(time_s / _NOTE_S).astype(int) % len(_NOTES)], _GLIDE // 2, "edge")
        octaves += np.convolve(notes, np.ones(_GLIDE) / _GLIDE, "valid")
    return octaves
