"""Under what conditions a face is judged: speech of other voices, through noise, at other levels; and no speech."""

import numpy as np

from edgeface.core.rates import SAMPLE_RATE_HZ

from . import augment, noises

_BEFORE = 2 * SAMPLE_RATE_HZ  # samples of noise alone: a hall is not silent until somebody speaks
_SILENCE = np.zeros(SAMPLE_RATE_HZ, np.float32)  # around an effect


def in_voice(pitch, formants):
    """A change to another voice, see `augment.Voice`."""
    return lambda rng, clip: augment.Voice(clip.samples).changed(pitch, formants)


def with_noise(make, ratio_db):
    """A change that adds noise `make(rng, n)` at a speech-to-noise ratio in dB, from 2 s before the clip."""

    def change(rng, clip):
        samples = np.concatenate((np.zeros(_BEFORE, np.float32), clip.samples))
        return samples + make(rng, len(samples)) * 10 ** (
            (augment.level_db(clip.samples) - ratio_db) / 20
        )

    return change


def at_level(level_db):
    """A change that sets the level of the speech in dBFS."""
    return lambda rng, clip: clip.samples * 10 ** ((level_db - augment.level_db(clip.samples)) / 20)


def telephone(rng, clip):
    """The change to a bandwidth of 4 kHz, as of sound sampled at 8 kHz."""
    del rng
    spectrum = np.fft.rfft(clip.samples)
    spectrum[len(spectrum) // 2 :] = 0
    return np.fft.irfft(spectrum, len(clip.samples))


def conditions(clips, cache=None):
    """(name, change) of what is measured; a change makes float32 [N] of a random generator and a clip, None leaves it.

    :param clips: held-out clips, who babble
    :param cache: None or the folder that `prepare` filled; music comes only from there
    :raises MissingInputError: no music is in it
    """

    def babble(rng, n):
        talkers = [clips[rng.integers(len(clips))].samples for _ in range(6)]
        noise = sum(np.resize(np.roll(samples, int(rng.integers(n))), n) for samples in talkers)
        return noise / noise.std()

    def pink(rng, n):
        return augment.coloured_noise(rng, n, 1.0)

    def music(rng, n):
        piece = pieces[rng.integers(len(pieces))]
        return np.resize(piece[rng.integers(max(1, len(piece) - n)) :], n)

    pieces = noises.judged(cache, "music") if cache else []
    yield "as they are", None
    yield "as a woman (pitch x 1.75, formants x 1.15)", in_voice(1.75, 1.15)
    yield "as a deep man (pitch x 0.8, formants x 0.92)", in_voice(0.8, 0.92)
    yield "as a child (pitch x 2.3, formants x 1.28)", in_voice(2.3, 1.28)
    for ratio_db in (20, 10):
        yield f"pink noise, {ratio_db} dB", with_noise(pink, ratio_db)
        yield f"babble of 6, {ratio_db} dB", with_noise(babble, ratio_db)
        if cache:
            yield f"music, {ratio_db} dB", with_noise(music, ratio_db)
    yield "level -40 dBFS", at_level(-40)
    yield "level -6 dBFS", at_level(-6)
    yield "4 kHz bandwidth", telephone


def no_speech(cache=None):
    """(name, list of sounds float32 [N]), each with a second at first to get used to.

    :param cache: None or the folder that `prepare` filled; real sounds come only from there
    :raises MissingInputError: none are in it
    """
    rng, n = np.random.default_rng(9), 10 * SAMPLE_RATE_HZ
    yield "digital silence", [np.zeros(n)]
    yield "white noise, -50 dBFS", [augment.coloured_noise(rng, n, 0) * 10**-2.5]
    yield "pink noise, -50 dBFS", [augment.coloured_noise(rng, n, 1) * 10**-2.5]
    yield "mains hum, -30 dBFS", [np.sin(2 * np.pi * 50 * np.arange(n) / SAMPLE_RATE_HZ) * 10**-1.5]
    yield "chords, -30 dBFS", [augment.hum(rng, n) * 10**-1.5 for _ in range(12)]
    if cache:
        yield (
            "music, -30 dBFS",
            [samples[: 2 * n] * 10**-1.5 for samples in noises.judged(cache, "music")],
        )
        yield (
            "single sounds, -30 dBFS",
            [
                np.concatenate((_SILENCE, samples[:n] * 10**-1.5, _SILENCE))
                for samples in noises.judged(cache, "effect")
            ],
        )
