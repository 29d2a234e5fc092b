"""Sound: one at a time with NumPy, or many with PyTorch, alike (needs PyTorch)."""

import numpy as np
import pytest
import torch

from training.signal.breath import BREATHS, find_breaths
from training.signal.fbank import fbank_of, fbanks_of
from training.signal.fbank_whispers import raised_formants, whispered_fbanks
from training.signal.level import level_db, levels_db
from training.signal.noise import breaths, colour_gain, coloured_noise, coloured_noises, hum, hums
from training.signal.raised import brighter, higher, wider_open
from training.signal.random_tensors import RandomTensors
from training.signal.spectra import in_room, warped
from training.signal.vocoder import Voice
from training.signal.whispered import unvoiced, whispered


def slope_of(sound):
    """Exponent by which the power of a sound falls with frequency, from 100 Hz on."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    bins = np.arange(len(power))
    bands = [slice(100 * 2**k, 200 * 2**k) for k in range(6)]
    means = [np.log(power[band].mean()) for band in bands]
    return -np.polyfit([np.log(bins[band].mean()) for band in bands], means, 1)[0]


def test_the_level_of_an_odd_number_of_frames_is_the_same_one_by_one_and_at_once():
    sounds = np.random.default_rng(4).standard_normal((3, 640 * 25)).astype(np.float32)
    sounds[1, :6400] *= 0.01
    at_once = levels_db(torch.from_numpy(sounds)).numpy()
    assert at_once == pytest.approx([level_db(sound) for sound in sounds], abs=1e-3)


def test_noise_has_the_same_colour_one_by_one_and_at_once():
    bins = np.arange(513)
    assert colour_gain(torch.from_numpy(bins), 1024, torch.tensor(1.5)).numpy() == pytest.approx(
        colour_gain(bins, 1024, 1.5), rel=1e-5
    )
    slopes = [0.0, 1.0, 2.0]
    many = coloured_noises(RandomTensors(), 32000, torch.tensor(slopes)).numpy()
    one_by_one = [coloured_noise(np.random.default_rng(1), 32000, slope) for slope in slopes]
    for noises in (many, one_by_one):
        assert [slope_of(noise) for noise in noises] == pytest.approx(slopes, abs=0.1)
        assert [noise.std() for noise in noises] == pytest.approx([1, 1, 1], abs=1e-3)


def test_hums_are_alike_one_by_one_and_at_once():
    rng = np.random.default_rng(3)
    for sounds in (
        np.stack([hum(rng, 16000) for _ in range(60)]),
        hums(RandomTensors(), 60, 16000).numpy(),
    ):
        assert sounds.std(-1) == pytest.approx(np.ones(60), abs=1e-3)
        power = (np.abs(np.fft.rfft(sounds * np.hanning(16000))) ** 2).sum(0)
        assert power[7600:].sum() < 1e-4 * power.sum()  # no partial is as high
        assert 0.5 < power[45:800].sum() / power.sum() < 0.95


def test_a_shorter_vocal_tract_moves_frequencies_up():
    def fbank(hz):
        return fbank_of(0.1 * np.sin(2 * np.pi * hz * np.arange(16000) / 16000).astype(np.float32))[
            50:51
        ]

    assert warped(fbank(1000), 1.0) == pytest.approx(fbank(1000), abs=1e-3)
    for factor in (0.87, 1.15):
        assert abs(warped(fbank(1000), factor).argmax() - fbank(1000 * factor).argmax()) <= 1
        assert warped(fbank(7900), factor).shape == (1, 80)


def test_many_fbanks_at_once_are_those_of_the_daemon():
    samples = (0.1 * np.random.default_rng(1).standard_normal((3, 6400))).astype(np.float32)
    samples[2, 3000:] = 0.0
    assert fbanks_of(torch.from_numpy(samples)).numpy() == pytest.approx(
        np.stack([*map(fbank_of, samples)]), abs=2e-3
    )


def test_a_room_only_adds_to_what_is_there_and_a_microphone_only_colours_it():
    click = torch.zeros(4, 16000)
    click[:, 1000] = 1.0
    dry, echo, coloured, both = in_room(
        RandomTensors(),
        click,
        torch.tensor([False, True, False, True]),
        torch.tensor([False, False, True, True]),
    )
    assert dry.numpy() == pytest.approx(click[0].numpy(), abs=1e-6)
    assert echo[:1001].numpy() == pytest.approx(click[0, :1001].numpy(), abs=1e-6)
    assert 0.05 <= float(echo[1001:].norm()) <= 0.35 and float(echo[9000:].abs().max()) < 1e-3
    assert (
        0.1 < float(coloured.abs().max()) != pytest.approx(1.0, abs=1e-3)
        and float(both[1001:].norm()) > 0.05
    )


def test_levels_of_many_sounds_are_those_of_each():
    samples = 0.1 * np.random.default_rng(1).standard_normal((2, 64000)).astype(np.float32)
    samples[1, :32000] *= 0.01
    assert levels_db(torch.from_numpy(samples)).numpy() == pytest.approx(
        [level_db(row) for row in samples], abs=0.6
    )


def test_a_whisper_has_no_harmonics_and_little_voice_but_the_same_fricatives():
    rng = np.random.default_rng(4)
    t = np.arange(32000) / 16000
    vowel = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 30))
    hiss = np.fft.irfft(np.fft.rfft(rng.standard_normal(32000)) * (np.arange(16001) > 10000))
    sound = torch.from_numpy(np.stack((0.03 * vowel, 0.1 * hiss, 0 * t)).astype(np.float32))
    voiced = fbanks_of(sound)[:, 4:-4]
    voiced = torch.nn.functional.pad(voiced, (0, 0, 4, 4))
    rows = torch.tensor([True, True, True])
    changed = [
        whispered_fbanks(RandomTensors(seed=seed), rows, voiced)[0].numpy()[:, 4:-4]
        for seed in range(20)
    ]
    voiced = voiced[:, 4:-4].numpy()
    mean = np.mean(changed, (0, 2))

    # ripple of harmonics in the low bands, in decibels; the voice's loss beside that of the hiss
    def ripple(bands):
        return 4.34 * np.abs(np.diff(bands[4:30])).mean()

    assert ripple(voiced[0].mean(0)) > 3 * ripple(mean[0])
    loss = 4.34 * (voiced.mean(1) - mean)
    assert 8 < loss[0, 4:30].mean() - loss[1, 70:].mean() < 28
    assert np.std(changed, 2)[:, 0].mean() > 0.3  # of noise, not of a tone
    assert np.array_equal(changed[0][2], voiced[2])  # nothing whispers in digital silence


def test_a_whisper_is_the_same_with_and_without_noise_around_it_and_others_stay():
    fbank = torch.zeros(2, 40, 80)
    rows = torch.tensor([False, True])
    noisy, clean = whispered_fbanks(RandomTensors(), rows, fbank + 1, fbank)
    assert torch.equal(noisy[0], fbank[0] + 1) and torch.equal(clean[0], fbank[0])
    assert (noisy[1] - clean[1]).numpy() == pytest.approx(1, abs=1e-4)
    assert not torch.allclose(clean[1], fbank[1])
    raised = raised_formants(RandomTensors(), rows)
    assert float(raised[0].abs().max()) == 0
    assert 0.05 <= float(raised[1, 2]) <= 0.3 and float(raised[1, -1]) < 0.01


def test_breath_comes_and_goes():
    heard = breaths(RandomTensors(seed=2), 20, 160000).numpy()
    assert heard.std(-1) == pytest.approx(1, abs=1e-3)
    level = np.sqrt((heard.reshape(20, -1, 1600) ** 2).mean(-1))
    assert np.median(level.max(1) / (level.min(1) + 1e-9)) > 3


def test_a_whisper_has_no_voice_softer_vowels_with_higher_formants_and_loud_consonants():
    rng = np.random.default_rng(2)
    hz = np.fft.rfftfreq(16000, 1 / 16000)
    pulses = np.zeros(16000)
    pulses[::133] = 1.0
    vowel = np.fft.irfft(np.fft.rfft(pulses) / (1 + ((hz - 500) / 80) ** 2))
    hiss = np.fft.irfft(np.fft.rfft(rng.standard_normal(16000)) * (hz > 4000))
    sound = np.concatenate((0.1 * vowel / vowel.std(), 0.05 * hiss / hiss.std()))
    voice = Voice(sound.astype(np.float32))
    spoken, noisy, whisper = voice.changed(1, 1), unvoiced(voice), whispered(voice)
    assert spoken.shape == noisy.shape == whisper.shape == sound.shape

    def vowel_and_hiss_db(samples):
        return np.array([level_db(samples[4000:12000]), level_db(samples[20000:28000])])

    assert (Voice(spoken).noise[100:150, 0] < 0.5).all()
    for samples in (noisy, whisper):
        assert (Voice(samples).noise[100:150, 0] < 0.5).mean() < 0.3
    assert vowel_and_hiss_db(noisy) == pytest.approx(vowel_and_hiss_db(spoken), abs=3)
    loss = vowel_and_hiss_db(noisy) - vowel_and_hiss_db(whisper)
    assert 20 < loss[0] < 32 and abs(loss[1]) < 1

    def peak_hz(samples):
        return 62.5 * np.abs(np.fft.rfft(samples[4000:12192].reshape(-1, 256))).mean(0).argmax()

    assert 450 <= peak_hz(noisy) <= 550 and 560 <= peak_hz(whisper) <= 700


def test_breaths_differ_and_swell():
    rng = np.random.default_rng(5)
    for breath in BREATHS:
        first, second = breath.sound(rng), breath.sound(rng)
        assert first.std() == pytest.approx(1, abs=1e-3) and len(first) != len(second)
        assert breath.seconds[0] <= len(first) / 16000 <= breath.seconds[1]
        at = int(breath.loudest * len(first))
        assert first[at - 800 : at + 800].std() > 1.1 * first[:800].std() > 0
        assert first[at - 800 : at + 800].std() > 1.1 * first[-800:].std() > 0


def test_a_raised_voice_is_higher_livelier_brighter_and_wider_open():
    time_s = np.arange(16000) / 16000
    hz = 120 * 2 ** (0.2 * np.sin(2 * np.pi * 2 * time_s))
    pulses = (np.diff(np.floor(np.cumsum(hz / 16000)), prepend=0) > 0).astype(np.float32)
    voice = Voice(0.3 * pulses)
    f0_hz = higher(voice, 2.0, 1.5)
    voiced = voice.f0_hz > 0
    assert voiced.mean() > 0.9 and (f0_hz[~voiced] == 0).all()
    assert np.median(f0_hz[voiced]) == pytest.approx(2 * np.median(voice.f0_hz[voiced]))
    octaves = [np.log2(one[voiced]).std() for one in (f0_hz, voice.f0_hz)]
    assert octaves[0] == pytest.approx(1.5 * octaves[1])
    flat = np.zeros((1, 513))
    gain_db = 10 / np.log(10) * brighter(flat)[0]
    assert gain_db[[0, 64, 128, 256]] == pytest.approx([0, 0, 6, 12])
    peak = np.zeros((1, 513))
    peak[0, 32] = 1.0  # 500 Hz
    assert wider_open(peak)[0].argmax() == 36
    silent = Voice(np.zeros(8000, np.float32))
    assert (higher(silent, 2.0, 1.5) == 0).all()


def test_breaths_are_found_in_pauses_and_nowhere_else():
    rng = np.random.default_rng(6)
    vowel = 0.2 * np.sin(2 * np.pi * 150 * np.arange(16000) / 16000)
    silence = 1e-4 * rng.standard_normal(3200)
    breath = 0.01 * BREATHS[0]._replace(slope=(0.5, 0.5)).sound(rng)
    hiss = 0.01 * np.diff(rng.standard_normal(5001), 1)
    murmur = 0.05 * vowel[:5000]
    pieces = [vowel, silence, breath, silence, hiss, silence, murmur, silence, vowel, breath, vowel]
    ((first, end),) = find_breaths(np.concatenate(pieces).astype(np.float32))
    assert 18000 < first < 21000
    assert 19200 + len(breath) - 2000 < end < 19200 + len(breath) + 1200
