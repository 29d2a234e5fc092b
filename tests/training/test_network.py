"""The network: its losses, its training, its export (needs PyTorch)."""

import numpy as np
import pytest
import torch

from edgeface.build import load_model
from edgeface.features.fbank import SILENCE
from training.data.grid import Clip
from training.network.bundle_to_state import network_of
from training.network.checkpoints import CLASSIFIER, mean_of
from training.network.loss import audible, misplaced, restless
from training.network.network import Network, Size
from training.network.pretrain import PhoneSequences
from training.network.streaming import Step
from training.network.training_state import TrainingState
from training.phonetics.phones import PHONES
from training.phonetics.timing import phone_labels


def test_the_published_weights_can_be_trained_on(monkeypatch):
    """`network_of` itself compares with the graphs, at every look-ahead."""
    bundle = load_model()
    network = network_of(bundle)
    assert sum(parameter.numel() for parameter in network.parameters()) > 2e6
    bundle.network.wholes[160] = bundle.network.wholes[0]  # which looks less far ahead than it says
    with pytest.raises(ValueError, match="something else"):
        network_of(bundle)
    monkeypatch.setattr("training.network.bundle_to_state.Size", lambda: Size(ffn=640))
    with pytest.raises(ValueError, match="of this size"):
        network_of(load_model())


@pytest.mark.parametrize("lookahead", [0, 2])
def test_a_sequence_begins_as_a_stream_does_after_silence(lookahead):
    torch.manual_seed(1)
    size = Size(conv=8, width=8, heads=2, ffn=16, layers=3, past=4)
    network = Network(size)
    network.landmark_basis.normal_()
    network.std.fill_(5.0)
    step = Step(network, lookahead)
    caches = [torch.zeros(shape) for shape in step.cache_shapes().values()]
    fbank = torch.full((1, 4 * 30, 80), SILENCE)
    fbank[:, 4 * 20 :] = torch.randn(1, 4 * 10, 80)
    faces = []
    with torch.no_grad():
        for at in range(0, 4 * 30, 4):
            face, _, _, *caches = step(fbank[:, at : at + 4], *caches)
            faces.append(face.reshape(-1))
        whole = network(fbank[:, 4 * 20 :], lookahead)[0][0]
    streamed = torch.stack(faces[20 + lookahead :])
    assert streamed.std(0).max() > 1e-3
    assert torch.allclose(whole[: len(streamed)], streamed, atol=1e-5)


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


def test_the_encoder_is_asked_for_the_phones_that_are_in_the_sound():
    samples = np.concatenate((np.zeros(16000), 0.1 * np.sin(np.arange(32000)))).astype(np.float32)
    clip = Clip("clip", samples, None, None, None, phone_labels([(1.0, 3.0, "m")], 75))
    sequences, loudness = PhoneSequences([clip], 60, 1), {True: [], False: []}
    rng = np.random.default_rng(2)
    for _ in range(30):
        fbank, phones = sequences.sequence(rng)
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


def test_a_run_can_start_from_the_mean_of_others(tmp_path):
    size = Size()
    for number in (1, 3):
        network = Network(size)
        classifier = TrainingState(tmp_path / "another", 1, 1e-3).classifier
        for value in (*network.state_dict().values(), *classifier.state_dict().values()):
            value.fill_(number)
        state = {"size": size.as_dict(), "average": network.state_dict()}
        torch.save({**state, CLASSIFIER: classifier.state_dict()}, tmp_path / str(number))
    torch.save(state, tmp_path / "knows no phones")
    run = TrainingState(tmp_path / "run", 1, 1e-3, start=[tmp_path / "1", tmp_path / "3"])
    for module in (run.network, run.average, run.classifier):
        assert all((value == 2).all() for value in module.state_dict().values())
    mean = mean_of([tmp_path / "1", tmp_path / "knows no phones"])
    assert mean.size == size and all((value == 2).all() for value in mean.network.values())
    assert all((value == 1).all() for value in mean.classifier.values())


def test_a_run_that_was_cut_off_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("training.network.training_state.STEPS_PER_EPOCH", 2)

    def loss_of(run):
        return lambda: run.classifier(run.network.encode(torch.ones(1, 16, 80), 2)).square().mean()

    run = TrainingState(tmp_path, 2, 1e-3)
    first = run.train(loss_of(run))
    again = TrainingState(tmp_path, 2, 1e-3)
    assert again.epoch == 1
    for own, other in (
        (run.network, again.network),
        (run.average, again.average),
        (run.classifier, again.classifier),
    ):
        assert all(
            torch.equal(a, b)
            for a, b in zip(own.state_dict().values(), other.state_dict().values())
        )
    assert again.train(loss_of(again)) < first and again.epoch == 2
    other = TrainingState(tmp_path / "other", 2, 1e-3, start=[tmp_path / "state.pt"])
    assert other.epoch == 0
    assert torch.equal(other.network.head[0].weight, again.average.head[0].weight)
    with pytest.raises(ValueError):  # of as many steps as were planned, none is left
        again.train(loss_of(again))


def test_closed_lips_are_asked_for_where_they_can_be_heard():
    clean = torch.full((1, 8, 80), -3.0)
    noisy = clean.clone()
    noisy[:, 4:] += 2.0
    assert audible(noisy, clean).tolist() == [[1.0, 0.0]]
    assert audible(noisy - 5.0, clean).tolist() == [[1.0, 1.0]]  # a microphone is no noise
