"""What the training does besides training (`make test-torch`)."""

import numpy as np
import pytest
import soundfile
import torch

from edgeface.build import load_model
from edgeface.motion.face import BLENDSHAPES
from training.animate import close_lips
from training.corpus import Clip, lip_gap, load_grid, mouth_width
from training.emphasis import emphasise
from training.export import mean_network
from training.fbank import fbank_of
from training.listen import Utterances
from training.network import Network, Size
from training.phones import PHONES, phone_labels
from training.restore import restore
from training.run import Run
from training.spectra import warped
from training.timbre import BANDS, UNIT, timbre
from training.train import audible, misplaced, restless


def test_the_published_weights_can_be_trained_on(monkeypatch):
    """`restore` itself compares with the graphs, at every look-ahead."""
    bundle = load_model()
    network = restore(bundle)
    assert sum(parameter.numel() for parameter in network.parameters()) > 2e6
    bundle.network.wholes[160] = bundle.network.wholes[0]  # which looks less far ahead than it says
    with pytest.raises(ValueError, match="something else"):
        restore(bundle)
    monkeypatch.setattr("training.restore.Size", lambda: Size(ffn=640))
    with pytest.raises(ValueError, match="of this size"):
        restore(load_model())


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


def test_a_shorter_vocal_tract_moves_frequencies_up():
    def fbank(hz):
        return fbank_of(0.1 * np.sin(2 * np.pi * hz * np.arange(16000) / 16000).astype(np.float32))[
            50:51
        ]

    assert warped(fbank(1000), 1.0) == pytest.approx(fbank(1000), abs=1e-3)
    for factor in (0.87, 1.15):
        assert abs(warped(fbank(1000), factor).argmax() - fbank(1000 * factor).argmax()) <= 1
        assert warped(fbank(7900), factor).shape == (1, 80)


def test_lips_that_stay_apart_where_they_should_meet_cost_something_and_the_reverse():
    truth = torch.tensor([[2.0] * 4 + [0.1] + [2.0] * 4])
    late = torch.tensor([[2.0] * 5 + [0.2] + [2.0] * 3])
    speech = torch.ones(1, 9)
    assert misplaced(late, truth, speech) == 0  # a frame late is in time
    assert misplaced(late + 1, truth, speech) == pytest.approx(0.9 / 2)
    assert misplaced(late + 1, truth, 0 * speech) == 0
    fluttering = truth.clone()
    fluttering[0, 7] = 0.1  # closes once more, where nothing meets within two frames
    assert misplaced(truth, truth, speech) == 0
    assert misplaced(fluttering, truth, speech) == pytest.approx(0.4 * 1.4 / 2)


def test_lips_that_move_where_nobody_speaks_cost_their_distance():
    speech = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    truth = torch.ones(2, 2, 3)
    assert restless(truth, truth, speech) == 0
    assert restless(
        truth + torch.tensor([0.2, 5.0])[:, None, None], truth, speech
    ) == pytest.approx(0.1)


def test_the_encoder_hears_what_it_is_told_to_hear():
    samples = np.concatenate((np.zeros(16000), 0.1 * np.sin(np.arange(32000)))).astype(np.float32)
    clip = Clip("clip", samples, None, None, None, phone_labels([(1.0, 3.0, "m")], 75))
    utterances, loudness = Utterances([clip], 60, 1), {True: [], False: []}
    rng = np.random.default_rng(2)
    for _ in range(30):
        fbank, phones = utterances.sequence(rng)
        assert (
            fbank.shape == (240, 80)
            and np.isfinite(fbank).all()
            and phones.sum(-1) == pytest.approx(np.ones(60))
        )
        assert set(np.flatnonzero(phones.sum(0))) <= {0, PHONES.index("m")}
        for hummed, means in loudness.items():
            frames = np.repeat(phones[:, PHONES.index("m")] == hummed, 4)
            if frames.any():
                means.append(fbank[frames].mean())
    assert np.mean(loudness[True]) > np.mean(loudness[False]) + 2


def test_phones_last_as_long_as_they_are_said_to():
    labels = phone_labels([(0.0, 0.1, "sil"), (0.1, 0.2, "b"), (0.2, 0.24, "iy")], 10)
    counts = np.bincount(labels.ravel(), minlength=len(PHONES))
    assert (counts[PHONES.index("b")], counts[PHONES.index("iy")]) == (10, 4) and counts.sum() == 40
    assert labels[4].tolist() == [PHONES.index("b")] * 4


def test_the_mean_of_two_states_lies_between_them(tmp_path):
    size = Size(layers=1)
    for number in (1, 3):
        network = Network(size)
        for value in network.state_dict().values():
            value.fill_(number)
        torch.save(
            {"size": size.as_dict(), "average": network.state_dict()}, tmp_path / str(number)
        )
    mean = mean_network([tmp_path / "1", tmp_path / "3"])
    assert mean.size == size and all((value == 2).all() for value in mean.state_dict().values())


def test_a_run_that_was_cut_off_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("training.run.STEPS_PER_EPOCH", 2)

    def loss_of(run):
        return lambda: run.listener(run.network.encode(torch.ones(1, 16, 80), 2)).square().mean()

    run = Run(tmp_path, 2, 1e-3)
    first = run.train(loss_of(run))
    again = Run(tmp_path, 2, 1e-3)
    assert again.epoch == 1
    for own, other in (
        (run.network, again.network),
        (run.average, again.average),
        (run.listener, again.listener),
    ):
        assert all(
            torch.equal(a, b)
            for a, b in zip(own.state_dict().values(), other.state_dict().values())
        )
    assert again.train(loss_of(again)) < first and again.epoch == 2
    other = Run(tmp_path / "other", 2, 1e-3, start=tmp_path / "state.pt")
    assert other.epoch == 0
    assert torch.equal(other.network.head[0].weight, again.average.head[0].weight)
    with pytest.raises(ValueError):  # of as many steps as were planned, none is left
        again.train(loss_of(again))


def test_blendshapes_alone_are_learnt_without_touching_the_landmarks(tmp_path, monkeypatch):
    monkeypatch.setattr("training.run.STEPS_PER_EPOCH", 3)
    before = Run(tmp_path / "start", 1, 1e-3)
    before.train(lambda: before.network(torch.ones(1, 16, 80), 2)[0].square().mean() + 1.0)
    run = Run(
        tmp_path / "shapes", 2, 1e-2, start=tmp_path / "start" / "state.pt", blendshapes_only=True
    )
    heard = torch.randn(2, 40, 80)
    still = [part.clone() for part in run.network(heard, 2)]

    def loss():
        face, shapes, activity = run.network(heard, 2)
        return (shapes - 0.3).square().mean() + face.square().mean() + activity.square().mean()

    assert run.train(loss) > run.train(loss)
    for network in (run.network, run.average):
        face, shapes, activity = network(heard, 2)
        assert torch.equal(face, still[0]) and torch.equal(activity, still[2])
        assert not torch.equal(shapes, still[1])


def test_closed_lips_are_asked_for_where_they_can_be_heard():
    clean = torch.full((1, 8, 80), -3.0)
    noisy = clean.clone()
    noisy[:, 4:] += 2.0
    assert audible(noisy, clean).tolist() == [[1.0, 0.0]]
    assert audible(noisy - 5.0, clean).tolist() == [[1.0, 1.0]]  # a microphone is no noise


def test_a_mouth_that_is_open_while_nobody_speaks_is_not_taken_for_a_closed_one(tmp_path):
    """A talker who breathes with open lips before and after he speaks; tracked a little beside where the others are."""
    rng = np.random.default_rng(5)
    resting = rng.normal(size=(68, 3)).astype(np.float32)
    resting[66] = resting[62]
    gaps = np.zeros((3, 75), np.float32)
    gaps[:, 25:50] = np.abs(np.sin(np.arange(25)))
    gaps[2, 5:25] = gaps[2, 60:] = 0.1
    faces = np.repeat(np.repeat(resting[None, None], 75, 1), 3, 0)
    faces[2] += 0.03
    faces[:, :, 66, 1] -= gaps
    (tmp_path / "audio").mkdir()
    for name in "abc":
        soundfile.write(str(tmp_path / "audio" / f"{name}.flac"), np.zeros(48000), 16000)
    np.savez(
        str(tmp_path / "motion.npz"),
        names=list("abc"),
        landmarks=faces,
        blendshapes=np.zeros((3, 75, 1)),
        blendshape_names=["jawOpen"],
    )
    (tmp_path / "words.json").write_text(
        '{"a": %s, "b": %s, "c": %s}' % (('[[1.0, 2.0, "now"]]',) * 3)
    )
    clips, neutral = load_grid(tmp_path)
    assert lip_gap(neutral) == pytest.approx(0.0, abs=1e-3)
    for clip, gap in zip(clips, gaps):
        assert lip_gap(clip.landmarks) == pytest.approx(gap, abs=1e-3)
