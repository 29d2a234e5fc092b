"""All numbers of the original modules, also of full size (`make test-torch`).

FIXTURES: the folder that holds them. What the other tests need of them lies in the repository.
"""

import json
import os

import numpy as np
import pytest
import torch
from support.networks import TOLERANCE, VARIANTS, audio2motion_weight, bins, fasthubert_weight

from edgeface.features.f0 import F0
from edgeface.features.fbank import Fbank
from edgeface.importer.audio2motion import load_audio2motion
from edgeface.importer.checkpoint import read_checkpoint
from edgeface.importer.face import face_of
from edgeface.importer.fasthubert import load_fasthubert

FIXTURES = os.environ.get("FIXTURES", "../shared/fixtures")


def arrays(*parts):
    with np.load(os.path.join(FIXTURES, *parts)) as data:
        return {
            name: torch.from_numpy(np.atleast_1d(data[name]))
            for name in data.files
            if data[name].dtype.kind in "fiub"
        }


def state(folder, make):
    """Weights of a folder: its own, or those of its seeds."""
    with open(os.path.join(FIXTURES, folder, "state_dict_shapes.json")) as file:
        shapes = json.load(file)
    return {
        name: torch.from_numpy(np.array(make(name, shape), np.float32)).reshape(shape)
        for name, shape in shapes.items()
    }


def test_fasthubert_of_full_size():
    model, numbers = (
        load_fasthubert(state("fasthubert_base", fasthubert_weight)),
        arrays("fasthubert_base", "io.npz"),
    )
    with torch.no_grad():
        got = model(numbers["in_464"])
    assert got.shape == (1, 116, 768) and (got - numbers["out_464"]).abs().max() < TOLERANCE


def test_fasthubert_small_of_every_length():
    found = read_checkpoint(
        os.path.join(FIXTURES, "fasthubert_small", "checkpoint_fairseq_layout.pt")
    )
    model = load_fasthubert(
        {name: torch.from_numpy(value) for name, value in found["model"].items()}, heads=4
    )
    numbers = arrays("fasthubert_small", "io.npz")
    lengths = [name for name in numbers if name.startswith("in_")]
    assert len(lengths) == 5
    for name in lengths:
        with torch.no_grad():
            got = model(numbers[name])
        assert (got - numbers[name.replace("in_", "out_")]).abs().max() < TOLERANCE


@pytest.mark.parametrize("size", ["small", "full"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_audio2motion(variant, size):
    folder = f"audio2motion/{variant}_{size}"
    model, numbers = load_audio2motion(state(folder, audio2motion_weight)), arrays(folder, "io.npz")
    checked = 0
    for name, wanted in numbers.items():
        if not name.startswith("out_t"):
            continue
        temperature, length = (
            {"t0": 0.0, "t02": 0.2, "t1": 1.0}[name.split("_")[1]],
            name.split("_")[2],
        )
        with torch.no_grad():
            got = model(
                numbers[f"hubert_{length}"],
                bins(numbers[f"f0_{length}"]),
                numbers[f"blink_{length}"][..., 0].long(),
                numbers[f"z_{length}"] * temperature,
                numbers["mouth_amp"].reshape(1, 1),
                numbers["eye_amp"].reshape(1, 1),
            )
        assert (got - wanted).abs().max() < TOLERANCE
        checked += 1
    assert checked >= 3


def test_front_end():
    numbers = arrays("frontend", "fbank.npz")
    samples = numbers["wav_i16"].numpy().astype(np.float32) / 32768
    fbank, f0 = Fbank(), F0()
    rows = np.concatenate((fbank.accept(samples), fbank.finish()))
    assert rows.shape == (462, 80) and np.abs(rows - numbers["fbank"].numpy()).max() < 1e-3
    f0_hz, praat = (
        np.concatenate((f0.accept(samples), f0.finish())),
        arrays("frontend", "f0.npz")["raw_f0"].numpy(),
    )
    count = min(len(f0_hz), len(praat))
    assert count > 225
    voiced = (f0_hz[:count] > 0) & (praat[:count] > 0)
    assert ((f0_hz[:count] > 0) == (praat[:count] > 0)).mean() > 0.97
    assert (
        np.median(np.abs(np.log2(f0_hz[:count][voiced] / praat[:count][voiced]))) * 1200 < 2
    )  # cents


def test_landmarks_of_coefficients():
    numbers = {name: value.numpy() for name, value in arrays("postprocess", "lm3d.npz").items()}
    mean = np.random.RandomState(0).standard_normal((68, 3)).astype(np.float32)
    for identity, exp, moved in zip(numbers["id"], numbers["exp"], numbers["idexp_lm3d"]):
        basis = {
            "mean": mean,
            "exp": numbers["exp_base"],
            "id": numbers["id_base"],
            "identity": identity,
        }
        rest, matrix, offset, scale = face_of(64, basis, "basis")
        face, original = (exp @ matrix + offset).reshape(68, 3), mean + moved / 10
        at_rest = mean + (numbers["id_base"] @ identity).reshape(68, 3)
        assert np.abs(face * scale - (original - at_rest[27])).max() < 1e-4
        assert (rest[27] == 0).all() and np.linalg.norm(rest[45] - rest[36]) == pytest.approx(
            1.0, abs=1e-5
        )
