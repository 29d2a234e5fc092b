"""Vowels that are held longer than the network has ever heard."""

from dataclasses import replace

import numpy as np
import pytest
from support.stream import run

from edgeface.build import FilePipelines, build_pipeline
from edgeface.config import MOUTH_ONLY, Settings
from edgeface.core.rates import FRAME_RATE_HZ, LOOKAHEADS_MS, SAMPLE_RATE_HZ
from edgeface.life.life import Life, Strengths
from edgeface.model.runtime.compute import Compute
from edgeface.model.runtime.providers import open_session
from edgeface.model.stepper import CachedStepper
from edgeface.motion.face import lip_gap
from edgeface.motion.frame import SPEECH
from edgeface.motion.mouth import MouthShapes
from edgeface.pipeline import Pipeline

HELD_S = 4.0
VOWELS = [(4, 10600), (7, 13000)]  # number of a clip, sample in the middle of a vowel of it
TIME_S = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


def landmarks(pipeline, samples):
    return np.array([frame.landmarks for frame in run(pipeline, samples.astype(np.float32))])


def period_at(samples, at):
    """Samples of a period of the voice around a sample."""
    window = samples[at - 400 : at + 400] * np.hanning(800)
    correlation = np.correlate(window, window, "full")[799:]
    return 40 + int(np.argmax(correlation[40:200]))


def holding(samples, at, octaves):
    """float32 [N] whose vowel lasts 4 s longer: five of its periods in random order, overlapping.

    :param at: sample in the middle of the vowel
    :param octaves: of vibrato
    """
    rng = np.random.RandomState(0)
    period = period_at(samples, at)
    window = np.hanning(2 * period + 1)
    count = int(HELD_S * SAMPLE_RATE_HZ)
    held = np.zeros(count + 4 * period)
    time = period
    while time < count:
        middle = at + period * rng.randint(-2, 3)
        one = samples[middle - period : middle + period + 1]
        held[time - period : time + period + 1] += window * one
        shift = octaves * np.sin(2 * np.pi * 5.5 * time / SAMPLE_RATE_HZ)
        time += round(period * 2**shift)
    return np.concatenate((samples[:at], held[:count], samples[at:])).astype(np.float32)


def held_vowel(clips, number, at, throat, octaves=0.04):
    """A clip, as from a throat so much shorter, with a held vowel; in which frame that begins."""
    clip = clips["samples"][number] / 32768.0
    samples = np.interp(np.arange(0, len(clip) - 1, throat), np.arange(len(clip)), clip)
    at = int(at / throat)
    return holding(samples, at, octaves), at * FRAME_RATE_HZ // SAMPLE_RATE_HZ


def open_share(faces, begin):
    """Share of a vowel in which lips are open by 80 % of what they are after 0.4 s."""
    gap = lip_gap(faces)[begin + 10 : begin + int(FRAME_RATE_HZ * HELD_S) - 2]
    return np.mean(gap > 0.8 * gap[0])


@pytest.fixture(scope="module")
def published(bundle):
    """The pipeline of a file, without idle motion."""
    return FilePipelines(Settings(motion=MOUTH_ONLY), bundle).next()


@pytest.fixture(scope="module")
def network(bundle):
    """What the network alone says to that."""
    session = open_session(bundle.path(bundle.network.blocks[80]), Compute("cpu"))
    stepper = CachedStepper(session, bundle.network.context_frames)
    still = Life(Strengths(0.0, 0.0, 0.0, False))
    return Pipeline(stepper, 80, MouthShapes(bundle.neutral), still)


@pytest.mark.parametrize("throat", [0.85, 1.0, 1.2, 1.4])
def test_lips_stay_open_as_long_as_a_vowel_is_held(published, network, clips, throat):
    for number, at in VOWELS:
        samples, begin = held_vowel(clips, number, at, throat)
        frames = run(published, samples)
        faces = np.array([frame.landmarks for frame in frames])
        assert open_share(landmarks(network, samples), begin) < 0.7
        assert open_share(faces, begin) > 0.95
        assert lip_gap(faces[begin + 10]) > 0.05
        end = begin + int(FRAME_RATE_HZ * HELD_S)
        assert all(frame.flags & SPEECH for frame in frames[begin + 10 : end - 2])


@pytest.mark.parametrize("lookahead_ms", LOOKAHEADS_MS)
def test_vowels_are_held_at_every_look_ahead(bundle, clips, lookahead_ms):
    chosen = Settings(motion=replace(MOUTH_ONLY, lookahead_ms=lookahead_ms))
    samples, begin = held_vowel(clips, *VOWELS[1], throat=1.0)
    stream = landmarks(build_pipeline(chosen, bundle), samples)
    assert open_share(stream, begin) > 0.95
    blocks = landmarks(FilePipelines(chosen, bundle).next(), samples)
    assert np.abs(stream - blocks).max() < 1e-4


def test_any_chunking_holds_the_same_bits(bundle, clips):
    samples, _ = held_vowel(clips, *VOWELS[0], throat=1.0)
    pipeline = build_pipeline(Settings(motion=MOUTH_ONLY), bundle)
    sizes = np.random.RandomState(1).randint(0, 3000, len(samples) // 3000)
    chunked = np.array([frame.landmarks for frame in run(pipeline, samples, sizes)])
    assert np.array_equal(chunked, landmarks(pipeline, samples))


def test_the_network_has_its_say_again_when_the_vowel_ends(published, network, clips):
    samples, begin = held_vowel(clips, *VOWELS[1], throat=1.0)
    silence = np.zeros(SAMPLE_RATE_HZ, np.float32)
    cut = (begin + int(FRAME_RATE_HZ * HELD_S)) * SAMPLE_RATE_HZ // FRAME_RATE_HZ
    samples = np.concatenate((samples[:cut], silence))
    ours, alone = landmarks(published, samples), landmarks(network, samples)
    end = cut * FRAME_RATE_HZ // SAMPLE_RATE_HZ
    assert not np.array_equal(ours[end - 3], alone[end - 3])
    assert np.array_equal(ours[end + 1 :], alone[end + 1 :])


def tone(hz, partials):
    return sum(np.sin(2 * np.pi * k * hz * TIME_S) / k for k in range(1, partials + 1))


def loud(sound):
    return 0.05 * sound / sound.std()


SOUNDS = {
    "a hum": loud(tone(100.0, 4)),
    "a saw": loud(tone(250.0, 30)),
    "a reed": loud(tone(440.0, 16)),
    "a chord": loud(tone(131.0, 8) + tone(165.0, 8) + tone(196.0, 8)),
    "an engine": loud(tone(60.0, 20) * (1.0 + 0.3 * np.sin(2 * np.pi * 7.0 * TIME_S))),
    "a whistle": loud(tone(880.0, 1)),
    "a hiss": loud(np.random.RandomState(2).standard_normal(len(TIME_S))),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_that_does_not_begin_as_speech_is_not_held(published, network, name):
    samples = np.concatenate((np.zeros(8000), SOUNDS[name]))
    assert np.array_equal(landmarks(published, samples), landmarks(network, samples))


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_behind_speech_is_not_held_in_its_pauses(published, network, clips, name):
    """The sound is there before somebody speaks, and after that."""
    speech = clips["samples"][:2] / 32768.0
    samples = np.tile(SOUNDS[name], 3)
    for at, clip in zip((2, 6), speech):
        samples[at * SAMPLE_RATE_HZ :][: len(clip)] += clip
    ours, alone = landmarks(published, samples), landmarks(network, samples)
    for begin_s, end_s in ((0, 2), (5, 6), (9, 12)):
        pause = slice(begin_s * FRAME_RATE_HZ, end_s * FRAME_RATE_HZ)
        assert np.array_equal(ours[pause], alone[pause])


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_after_a_word_is_not_its_vowel(published, network, clips, name):
    samples, begin = held_vowel(clips, *VOWELS[1], throat=1.0)
    at = begin * SAMPLE_RATE_HZ // FRAME_RATE_HZ
    samples = np.concatenate((samples[: at + 3200], SOUNDS[name]))
    later = begin + 10
    ours, alone = landmarks(published, samples), landmarks(network, samples)
    assert np.array_equal(ours[later:], alone[later:])
