"""What a film's encoder is given holds all the sound that moves the face."""

import wave

import numpy as np
import pytest
from support.containers import RATE_HZ, encoded, samples_of, speechlike, wav

from edgeface.source.playable import playable

PCM = samples_of(encoded(speechlike(), "WAV"))


@pytest.mark.parametrize(
    "content",
    [
        wav(PCM),
        wav(PCM, size=0, riff_size=36),
        wav(PCM, size=0xFFFFFFFF, riff_size=0xFFFFFFFF),
        wav(PCM, size=len(PCM) + 44),
    ],
)
def test_a_wrong_length_is_put_right(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with playable(str(path)) as name, wave.open(name) as sound:
        assert sound.readframes(1 << 20) == PCM


def test_files_that_were_joined_are_one(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(PCM) + encoded(speechlike(), "FLAC"))
    with playable(str(path)) as name, wave.open(name) as sound:
        assert sound.getnframes() == 2 * RATE_HZ
        samples = np.frombuffer(sound.readframes(RATE_HZ), "<i2")
    assert np.abs(samples - np.frombuffer(PCM, "<i2").astype(int)).max() <= 1


def test_what_says_the_truth_is_given_as_it_is(tmp_path):
    path = tmp_path / "a.flac"
    path.write_bytes(encoded(speechlike(), "FLAC"))
    with playable(str(path)) as name:
        assert name == str(path)
