"""How faces are made to move (needs PyTorch)."""

import numpy as np
import pytest
import torch

from edgeface.build import load_model
from edgeface.core.errors import MissingInputError
from edgeface.motion.face import BLENDSHAPES, lip_gap, mouth_width
from training.data.manifest import PERSON, SYNTHESISER, TEST, Utterance
from training.data.store import Store
from training.phonetics.timing import phone_labels
from training.targets import phone_to_motion
from training.targets.animate import animate, load_animated
from training.targets.emphasis import emphasise
from training.targets.lips import close_lips
from training.targets.phone_to_motion import PhoneToMotion
from training.targets.timbre import BANDS, UNIT, timbre


def test_lips_meet_in_every_bilabial_and_move_nowhere_else():
    face = np.repeat(np.array(load_model().neutral, np.float32)[None], 50, 0)
    face[:, [62, 61, 63, 51], 1] += 0.05
    before = face.copy()
    close_lips(face, [(0.0, 0.5, "aa"), (0.5, 0.62, "m"), (0.62, 1.4, "iy"), (1.4, 1.41, "p")])
    gap = np.linalg.norm(face[:, 62] - face[:, 66], axis=-1)
    assert gap[13:16].max() < 1e-6 and gap[35] < 1e-6
    moved = np.abs(face - before).max((1, 2)) > 0
    assert set(np.flatnonzero(moved)) == {12, 13, 14, 15, 16, 34, 35, 36}
    assert (face[:, :48] == before[:, :48]).all() and (
        face[:, [48, 54]] == before[:, [48, 54]]
    ).all()


def test_timbre_is_neither_loudness_nor_the_microphone():
    noise = np.random.default_rng(1).standard_normal(640 * 50).astype(np.float32) * 0.03
    bright = np.diff(noise, prepend=np.float32(0))
    spoken, said = np.concatenate((noise, bright, 0 * noise)), [(0.0, 4.0, "ah")]
    heard = timbre(spoken, said)
    assert heard.shape == (150, BANDS) and (heard[102:] == -2).all()
    assert (heard[2:48, 0] > 0.3).all() and (heard[52:98, 0] < -0.3).all()
    assert timbre(0.1 * spoken, said)[:100] == pytest.approx(heard[:100], abs=0.01)
    muffled = np.convolve(spoken, [0.6, 0.4])[: len(spoken)].astype(np.float32)
    assert np.abs(timbre(muffled, said) - heard)[:100].max() < 0.1
    assert not timbre(np.zeros(6400, np.float32), []).any()


def test_lips_open_where_a_voice_is_raised_and_spread_where_it_brightens():
    neutral, jaw_open = np.array(load_model().neutral, np.float32), BLENDSHAPES.index("jawOpen")
    face, shapes = np.repeat(neutral[None], 60, 0), np.zeros((60, 52), np.float32)
    face[:, [*range(5, 12), *range(56, 59), *range(65, 68)], 1] += 0.1 * np.sign(
        neutral[66, 1] - neutral[62, 1]
    )
    raised, bright = np.zeros((60, BANDS), np.float32), np.zeros((60, BANDS), np.float32)
    said, silent = phone_labels([(0.0, 2.4, "m")], 60), phone_labels([], 60)
    raised[20:40, [2, 3, 5]] = np.log(10) / UNIT  # 10 dB
    bright[20:40, 4], bright[20:40, 1] = np.log(10) / UNIT, np.log(10) / UNIT / 3
    opened, moved = emphasise(face, shapes, raised, said, neutral)
    assert lip_gap(opened)[30] == pytest.approx(lip_gap(face)[30] * np.exp(0.7 * 0.75), rel=0.06)
    assert (opened[:12] == face[:12]).all() and mouth_width(opened) == pytest.approx(
        mouth_width(face)
    )
    assert moved[30, jaw_open] > 0.02 and moved.min() == 0
    spread = emphasise(face, shapes, bright, said, neutral)[0]
    assert (mouth_width(spread) - mouth_width(face))[30] == pytest.approx(0.015, rel=0.06)
    assert lip_gap(spread) == pytest.approx(lip_gap(face), rel=0.01)
    assert (emphasise(face, shapes, raised + bright, silent, neutral)[0] == face).all()
    short = emphasise(face[:10], shapes[:10], raised[:10], said[:10], neutral)
    assert short[0].shape == (10, 68, 3) and (short[0] == face[:10]).all()


def test_lips_of_strangers_are_held_as_their_phones_are_and_not_as_the_talker_holds_his():
    neutral = np.array(load_model().neutral, np.float32)
    face, shapes = np.repeat(neutral[None], 60, 0), np.zeros((60, 52), np.float32)
    face[:, [*range(5, 12), *range(56, 59), *range(65, 68)], 1] += 0.1 * np.sign(
        neutral[66, 1] - neutral[62, 1]
    )
    said = phone_labels([(0.0, 0.8, "aa"), (0.8, 1.6, "uw"), (1.6, 2.4, "m")], 60)
    quiet = np.zeros((60, BANDS), np.float32)
    held = emphasise(face, shapes, quiet, said, neutral)[0]
    gap, width = lip_gap(held) / lip_gap(face), mouth_width(held) - mouth_width(face)
    assert gap[[10, 30]] == pytest.approx(np.exp([0.2, -0.75]), rel=0.1) and gap[
        50
    ] == pytest.approx(1)
    assert width[[10, 30, 50]] == pytest.approx([0.035, -0.07, 0], abs=0.004)
    assert np.abs(np.diff(gap)).max() < 0.4 and gap[19] > gap[20] > gap[21]
    assert np.abs(np.diff(width)).max() < 0.02 and (np.diff(width[14:26]) < 0).all()
    said = phone_labels([(0.8, 1.2, "m"), (1.6, 2.0, "m")], 60)
    gap = lip_gap(emphasise(face, shapes, quiet, said, neutral)[0]) / lip_gap(face)
    assert gap[[10, 25, 45]] == pytest.approx(1) and gap[[35, 55]] == pytest.approx(
        np.exp(0.8), rel=0.1
    )
    assert (
        emphasise(np.repeat(neutral[None], 60, 0), shapes, quiet, said, neutral)[0] == neutral
    ).all()


def test_all_speech_that_training_hears_is_animated_and_keeps_its_weight(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(MissingInputError, match=r"targets\.animate"):
        load_animated(store)
    noise = (0.1 * np.random.default_rng(1).standard_normal(32000)).astype(np.float32)
    said = [(0.2, 0.8, "aa"), (0.8, 1.0, "m")]
    origin = {"source": "nobody", "licence": "CC0-1.0"}
    store.add(Utterance("b", PERSON, weight=2.0, **origin), noise, said)
    store.add(Utterance("a", SYNTHESISER, **origin), noise[:16000], said)
    store.add(Utterance("c", PERSON, split=TEST, **origin), noise, said)
    store.add(Utterance("short", PERSON, **origin), noise[:3200], said)
    neutral = np.array(load_model().neutral, np.float32)
    torch.manual_seed(1)
    model = PhoneToMotion(neutral, np.zeros((4, 204), np.float32)).eval()
    torch.save(model.state_dict(), tmp_path / phone_to_motion.FILE)
    animate(tmp_path)
    clips = load_animated(store)
    assert [(clip.name, clip.weight, len(clip.speech)) for clip in clips] == [
        ("a", 1.0, 25),
        ("b", 2.0, 50),
    ]
    assert clips[1].read() == pytest.approx(noise, abs=1e-4)
    assert (clips[1].phones == phone_labels(said, 50)).all()
    assert clips[1].landmarks.shape == (50, 68, 3) and clips[1].blendshapes.shape == (50, 52)
