"""Sound by which robustness is judged: other voices, noise, other levels, and no speech at all."""

from typing import Callable, Iterator, List, Optional, Tuple

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ
from training.data.grid import Clip
from training.data.manifest import EFFECT, MUSIC
from training.data.sounds import unheard_sounds
from training.data.store import Store
from training.signal.level import decibels, level_db
from training.signal.noise import coloured_noise, hum
from training.signal.vocoder import Voice

from .animation import Change

Noise = Callable[[np.random.Generator, int], np.ndarray]
"""Noise float32 [n] of unit level."""

_BEFORE = 2 * SAMPLE_RATE_HZ  # samples of noise alone: a hall is not silent until somebody speaks
_SILENCE = np.zeros(SAMPLE_RATE_HZ, np.float32)  # around a single sound
_BABBLING = 6  # people
_SEED = 9
_CHORDS = 12
_STILL_S = 10


def in_voice(pitch: float, formants: float) -> Change:
    """A change to another voice, see `signal.vocoder.Voice`."""
    return lambda rng, clip: Voice(clip.samples).changed(pitch, formants)


def with_noise(make: Noise, ratio_db: float) -> Change:
    """A change that adds noise at a speech-to-noise ratio in dB, from 2 s before the clip."""

    def change(rng: np.random.Generator, clip: Clip) -> np.ndarray:
        samples = np.concatenate((np.zeros(_BEFORE, np.float32), clip.samples))
        return samples + make(rng, len(samples)) * decibels(level_db(clip.samples) - ratio_db)

    return change


def at_level(db: float) -> Change:
    """A change that sets the level of the speech in dBFS."""
    return lambda rng, clip: clip.samples * decibels(db - level_db(clip.samples))


def telephone(rng: np.random.Generator, clip: Clip) -> np.ndarray:
    """The change to a bandwidth of 4 kHz, as of sound sampled at 8 kHz."""
    del rng
    spectrum = np.fft.rfft(clip.samples)
    spectrum[len(spectrum) // 2 :] = 0
    return np.fft.irfft(spectrum, len(clip.samples))


def babble_of(clips: List[Clip]) -> Noise:
    """Six clips at once."""

    def babble(rng: np.random.Generator, n: int) -> np.ndarray:
        talkers = [clips[rng.integers(len(clips))].samples for _ in range(_BABBLING)]
        rolled = [np.resize(np.roll(one, int(rng.integers(n))), n) for one in talkers]
        noise = np.sum(rolled, axis=0)
        return noise / noise.std()

    return babble


def music_of(pieces: List[np.ndarray]) -> Noise:
    """A part of a piece of music."""

    def music(rng: np.random.Generator, n: int) -> np.ndarray:
        piece = pieces[rng.integers(len(pieces))]
        return np.resize(piece[rng.integers(max(1, len(piece) - n)) :], n)

    return music


def pink(rng: np.random.Generator, n: int) -> np.ndarray:
    """Pink noise of unit level."""
    return coloured_noise(rng, n, 1.0)


def conditions(
    clips: List[Clip], store: Optional[Store] = None
) -> Iterator[Tuple[str, Optional[Change]]]:
    """(name, change) of what is measured; None leaves a clip as it is.

    :param clips: held-out clips, who babble
    :param store: music comes only from there
    :raises MissingInputError: no music is in it
    """
    noises = {"pink noise": pink, "babble of 6": babble_of(clips)}
    if store:
        noises["music"] = music_of(unheard_sounds(store, MUSIC))
    yield "as they are", None
    yield "as a woman (pitch x 1.75, formants x 1.15)", in_voice(1.75, 1.15)
    yield "as a deep man (pitch x 0.8, formants x 0.92)", in_voice(0.8, 0.92)
    yield "as a child (pitch x 2.3, formants x 1.28)", in_voice(2.3, 1.28)
    for ratio_db in (20, 10):
        for name, make in noises.items():
            yield f"{name}, {ratio_db} dB", with_noise(make, ratio_db)
    yield "level -40 dBFS", at_level(-40)
    yield "level -6 dBFS", at_level(-6)
    yield "4 kHz bandwidth", telephone


def no_speech(store: Optional[Store] = None) -> Iterator[Tuple[str, List[np.ndarray]]]:
    """(name, sounds float32 [N]), each with a second at first to get used to.

    :param store: real sounds come only from there
    :raises MissingInputError: none are in it
    """
    rng = np.random.default_rng(_SEED)
    n = _STILL_S * SAMPLE_RATE_HZ
    loud = decibels(-30)
    soft = decibels(-50)
    yield "digital silence", [np.zeros(n)]
    yield "white noise, -50 dBFS", [coloured_noise(rng, n, 0) * soft]
    yield "pink noise, -50 dBFS", [coloured_noise(rng, n, 1) * soft]
    mains = np.sin(2 * np.pi * 50 * np.arange(n) / SAMPLE_RATE_HZ)
    yield "mains hum, -30 dBFS", [mains * loud]
    yield "chords, -30 dBFS", [hum(rng, n) * loud for _ in range(_CHORDS)]
    if store:
        music = unheard_sounds(store, MUSIC)
        yield "music, -30 dBFS", [samples[: 2 * n] * loud for samples in music]
        effects = unheard_sounds(store, EFFECT)
        single = [np.concatenate((_SILENCE, one[:n] * loud, _SILENCE)) for one in effects]
        yield "single sounds, -30 dBFS", single
