"""The gain of a microphone, and what is said about one that is too quiet."""

import numpy as np
import pytest

from edgeface.source.gain import Gain
from edgeface.source.level_watch import LevelWatch

RATE_HZ = 16000


def blocks(samples, size=160):
    return [samples[at : at + size] for at in range(0, len(samples), size)]


def amplified(gain, samples):
    return np.concatenate([gain.apply(block) for block in blocks(samples)])


def talk(clips, peak, seconds=60.0):
    """A talker with pauses; the loudest sample is `peak`."""
    sound = clips["samples"].astype(np.float32).ravel()
    sound = np.tile(sound, int(np.ceil(seconds * RATE_HZ / len(sound))))[: int(seconds * RATE_HZ)]
    return peak * sound / np.abs(sound).max()


def test_without_gain_nothing_changes():
    samples = np.linspace(-1, 1, 160, dtype=np.float32)
    assert Gain().apply(samples) is samples


@pytest.mark.parametrize("gain_db, factor", [(20, 10.0), (-20, 0.1), (6, 1.995)])
def test_a_fixed_gain_multiplies_and_never_exceeds_full_scale(gain_db, factor):
    samples = np.linspace(-1, 1, 160, dtype=np.float32)
    wanted = np.clip(samples * np.float32(factor), -1, 1)
    assert np.allclose(Gain(gain_db).apply(samples), wanted, atol=1e-3)


def test_a_quiet_voice_is_raised_to_a_normal_level_within_bounds(clips):
    for peak, least, most in ((0.02, 0.1, 0.5), (0.002, 0.03, 0.08), (0.5, 0.45, 0.5)):
        heard = amplified(Gain(automatic=True), talk(clips, peak))
        assert least <= np.abs(heard[-10 * RATE_HZ :]).max() <= most + 1e-6, peak


def test_noise_alone_is_not_raised():
    noise = (0.003 * np.random.RandomState(1).standard_normal(60 * RATE_HZ)).astype(np.float32)
    gain = Gain(automatic=True)
    amplified(gain, noise)
    assert gain.raised_db < 3


def test_a_voice_that_becomes_loud_does_not_stay_too_loud(clips):
    gain = Gain(automatic=True)
    amplified(gain, talk(clips, 0.01))
    assert gain.raised_db > 15
    heard = amplified(gain, talk(clips, 0.8, 5.0))
    assert (np.abs(heard[RATE_HZ // 2 :]) >= 1.0).mean() < 0.001


def said(level, seconds):
    """What is said about a tone of this peak, in so many seconds."""
    watch = LevelWatch()
    tone = level * np.sin(np.arange(160, dtype=np.float32))
    found = [watch.accept(tone) for _ in range(int(seconds * 100))]
    return [text for text in found if text]


def test_silence_and_a_faint_microphone_are_said_once():
    assert said(0.1, 700.0) == []
    assert ["digital silence" in text for text in said(0.0, 700.0)] == [True]
    assert ["very quiet, -66 dBFS" in text for text in said(0.0005, 700.0)] == [True]


def test_it_is_said_again_after_something_was_heard_but_not_more_than_once_an_hour():
    watch, quiet = LevelWatch(), np.zeros(16000, np.float32)
    said_at = []
    for second in range(3 * 3600):
        if second % 30 == 29:
            watch.accept(np.full(160, 0.1, np.float32))
        if watch.accept(quiet) is not None:
            said_at.append(second)
    assert len(said_at) == 3 and said_at[0] == 9
