"""Channels of files and cards: mixed, unless they cancel."""

import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import collect, edgeface, start, wait_for
from support.sound import SERVERS

from edgeface.shm.reader import Reader
from edgeface.source.convert import Converter, Mixer

RATE_HZ = 16000


def voice(seconds=2.0, seed=1):
    rng = np.random.RandomState(seed)
    return (0.2 * rng.standard_normal(int(RATE_HZ * seconds))).astype(np.float32)


def mixed(sound, sizes=(160,)):
    """Mixes in blocks of these sizes, in turn; (mono, channels that were chosen)."""
    chosen, blocks, at, turn = [], [], 0, 0
    mixer = Mixer(RATE_HZ, sound.shape[1], chosen.append)
    while at < len(sound):
        size = sizes[turn % len(sizes)]
        blocks.append(mixer.accept(sound[at : at + size]))
        at, turn = at + size, turn + 1
    return np.concatenate(blocks), chosen


def level(samples):
    return float(np.sqrt(np.mean(np.square(samples))))


def test_channels_that_agree_are_averaged_bit_for_bit():
    left = voice()
    sound = np.stack([left, 0.5 * left + 0.1 * voice(seed=2)], axis=1)
    mono, chosen = mixed(sound)
    assert (mono == sound.mean(axis=1)).all() and chosen == []


@pytest.mark.parametrize("gain", [-1.0, -0.8])
def test_of_channels_that_cancel_one_is_taken(gain):
    left = voice()
    mono, chosen = mixed(np.stack([left, gain * left], axis=1))
    assert chosen == [0]
    assert (mono[1600:] == left[1600:]).all()
    assert np.abs(np.diff(mono)).max() <= np.abs(np.diff(left)).max() * 1.01  # no click


@pytest.mark.parametrize("channels, channel", [(2, 1), (4, 2), (8, 5)])
def test_a_voice_on_any_one_channel_is_heard(channels, channel):
    sound = np.zeros((2 * RATE_HZ, channels), np.float32)
    sound[:, channel] = voice()
    sound += 1e-4 * voice(seed=3)[:, None]
    mono, _ = mixed(sound)
    assert level(mono[1600:]) > 0.45 * level(sound[:, channel])


def test_a_voice_that_goes_to_another_channel_is_followed():
    sound = np.zeros((4 * RATE_HZ, 8), np.float32)
    sound[: 2 * RATE_HZ, 3] = voice()
    sound[2 * RATE_HZ :, 6] = voice(seed=2)
    mono, chosen = mixed(sound)
    assert chosen == [3]  # it is said once
    assert level(mono[-RATE_HZ:]) > 0.9 * level(sound[-RATE_HZ:, 6])


def test_silence_decides_nothing():
    quiet = 1e-4 * voice()
    assert mixed(np.stack([quiet, -quiet], axis=1))[1] == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), st.sampled_from([2, 3, 8]))
def test_any_chunking_gives_the_same_bits(sizes, channels):
    sound = np.stack([voice(0.5, seed) for seed in range(channels)], axis=1)
    sound[2000:5000, 1:] = -sound[2000:5000, :1]
    sound[5000:] *= np.arange(channels) == channels - 1
    assert (mixed(sound, sizes)[0] == mixed(sound, (len(sound),))[0]).all()


def test_mono_passes_unchanged():
    sound = voice()
    assert (Converter(RATE_HZ).accept(sound[:, None]) == sound).all()


def write_stereo(path, left, right):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.stack([left, right], axis=1).astype("<i2").tobytes())
    return str(path)


@pytest.mark.parametrize("left, right, said", [(1, -1, 1), (0, 1, 0), (1, 0, 0)])
def test_a_file_whose_channels_cancel_is_heard(clips, tmp_path, left, right, said):
    sound = clips["samples"][0]
    path = write_stereo(tmp_path / "stereo.wav", left * sound, right * sound)
    out = str(tmp_path / "motion.npz")
    result = edgeface("motion", path, "-o", out)
    assert result.returncode == 0 and result.stderr.count("cancel") == said, result.stderr
    with np.load(out) as motion:
        assert motion["rms_dbfs"].max() > -30 and (motion["flags"] & 1).sum() > 20


@pytest.mark.system
@pytest.mark.parametrize("kind", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("left, right", [(0, 1), (1, -1)])
def test_a_card_with_the_voice_on_one_channel_or_cancelling_ones_is_heard(
    clips, tmp_path, shm_name, kind, left, right
):
    sound = clips["samples"][0]
    path = write_stereo(tmp_path / "stereo.wav", left * sound, right * sound)
    server = kind(tmp_path, channels=2)
    server.start()
    try:
        daemon = start("run", "--source", "mic", "--shm", shm_name, env=server.environment)
        with Reader(shm_name) as reader:
            wait_for(lambda: reader.read() is not None)
            player = server.play(path)
            frames = collect(reader, 4.0)
            player.wait()
        daemon.terminate()
        text = daemon.communicate(timeout=20)[1]
    finally:
        server.stop()
    assert max(frame.rms_dbfs for frame in frames) > -35
    assert sum(frame.flags & 1 for frame in frames) > 15
    assert text.count("cancel") == (1 if right < 0 else 0), text
