import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.faces import DATA

from edgeface.features.f0 import F0
from edgeface.features.fbank import SILENCE, Fbank
from edgeface.features.level import level_dbfs


def chunked(feature, samples, sizes):
    parts, at = [], 0
    for size in sizes:
        parts.append(feature.accept(samples[at : at + size]))
        at += size
    parts += [feature.accept(samples[at:]), feature.finish()]
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def fbank_fixture():
    with np.load(os.path.join(DATA, "fbank.npz")) as data:
        return data["wav_i16"].astype(np.float32) / 32768, data["fbank"]


@pytest.fixture(scope="module")
def f0_fixture():
    with np.load(os.path.join(DATA, "f0.npz")) as data:
        return data["wav_i16"].astype(np.float32) / 32768, data["raw_f0"]


def test_fbank_equals_torchaudio(fbank_fixture):
    samples, reference = fbank_fixture
    frames = chunked(Fbank(), samples, [])
    assert frames.shape == reference.shape
    assert np.abs(frames - reference).max() < 1e-3


def test_fbank_of_silence_is_the_floor():
    frames = chunked(Fbank(), np.zeros(1600, np.float32), [])
    assert frames.shape == (8, 80)
    assert np.allclose(frames, SILENCE, atol=1e-5)
    assert abs(SILENCE + 15.942385) < 1e-5


@pytest.mark.parametrize(
    "samples, frames", [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16000, 98), (32000, 198)]
)
def test_fbank_frame_count(samples, frames):
    assert len(chunked(Fbank(), np.ones(samples, np.float32), [])) == frames


@pytest.mark.parametrize("lag, agreement", [(0, 0.97), (1, 0.97), (2, 0.97)])
def test_f0_agrees_with_praat(f0_fixture, lag, agreement):
    samples, praat = f0_fixture
    values = chunked(F0(lag), samples, [])
    n = min(len(values), len(praat))
    assert n >= len(praat) - 1
    values, praat = values[:n], praat[:n]
    voiced = (values > 0) & (praat > 0)
    cents = 1200 * np.abs(np.log2(values[voiced] / praat[voiced]))
    assert np.mean((values > 0) == (praat > 0)) >= agreement
    assert np.mean(cents > 100) < 0.01
    assert np.median(cents) < 1


def test_f0_hears_again_after_a_bang():
    tone = (0.05 * np.sign(np.sin(2 * np.pi * 150 * np.arange(16000 * 3) / 16000))).astype(
        np.float32
    )
    bang = np.zeros(1600, np.float32)
    bang[800] = 1.0
    values = chunked(F0(2), np.concatenate((tone, bang, tone)), [])
    assert np.mean(np.abs(values[-100:-5] - 150) < 2) > 0.95


def test_f0_rests_as_it_computes_silence():
    """What was too quiet beside a bang is heard 80 s later, whether that silence was computed."""
    tone = 0.02 * np.sign(np.sin(2 * np.pi * 150 * np.arange(16000) / 16000)).astype(np.float32)
    bang, silence = np.eye(1, 1600, 800, dtype=np.float32)[0], np.zeros(6400, np.float32)
    values = []
    for rests in (False, True):
        f0 = F0(2)
        before = f0.accept(np.concatenate((bang, tone, silence)))
        assert not before.any()
        if rests:
            f0.rest(4000)
        else:
            f0.accept(np.zeros(4000 * 320, np.float32))
        values.append(f0.accept(tone))
    assert np.mean(np.abs(values[0] - 150) < 2) > 0.8
    assert values[0].tobytes() == values[1].tobytes()


def test_fbank_in_larger_blocks_is_the_same(fbank_fixture):
    samples, _ = fbank_fixture
    assert np.allclose(
        chunked(Fbank(block=40), samples, []), chunked(Fbank(), samples, []), rtol=0, atol=1e-4
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=30))
def test_any_chunking_gives_the_same_bits(sizes):
    rng = np.random.RandomState(3)
    samples = (rng.randn(9000) * 0.1 + 0.3 * np.sin(np.arange(9000) / 20)).astype(np.float32)
    for feature in (Fbank, F0):
        whole = chunked(feature(), samples, [])
        assert chunked(feature(), samples, sizes).tobytes() == whole.tobytes()


def test_level():
    assert level_dbfs(np.ones(640, np.float32)) == pytest.approx(0.0, abs=1e-4)
    assert level_dbfs(np.full(640, 0.1, np.float32)) == pytest.approx(-20.0, abs=1e-3)
    assert level_dbfs(np.zeros(640, np.float32)) == -120.0
