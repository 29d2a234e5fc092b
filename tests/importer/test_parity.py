"""The study's networks against the numbers of the original ones (`make test-torch`).

data/study.npz: inputs and outputs of the modules of fairseq, GeneFace++ and GeneFace with random
weights, which come from seeds, and the shapes of these weights.
"""

import numpy as np
import onnxruntime
import pytest
import torch
from support.networks import TOLERANCE, VARIANTS, bins, weights

from edgeface.importer.audio2motion import Audio2Motion, load_audio2motion
from edgeface.importer.fasthubert import FastHubert, load_fasthubert


@pytest.mark.parametrize("frames", [100, 101, 103])
def test_fasthubert(numbers, frames):
    model = load_fasthubert(weights(numbers, "fasthubert"), heads=4)
    with torch.no_grad():
        got = model(numbers[f"fasthubert/in_{frames}"])
    assert (got - numbers[f"fasthubert/out_{frames}"]).abs().max() < TOLERANCE


def test_fasthubert_in_batches(numbers):
    model = load_fasthubert(weights(numbers, "fasthubert"), heads=4)
    with torch.no_grad():
        got = model(numbers["fasthubert/pad_in_104"], numbers["fasthubert/pad_lens_104"])
    counts = ~numbers["fasthubert/pad_mask_104"].bool()
    assert counts.sum() < counts.numel()
    assert (got - numbers["fasthubert/pad_out_104"]).abs()[counts].max() < TOLERANCE


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("frames", [8, 64])
@pytest.mark.parametrize("name, temperature", [("t0", 0.0), ("t02", 0.2), ("t1", 1.0)])
def test_audio2motion(numbers, variant, frames, name, temperature):
    def given(what):
        return numbers[f"{variant}/{what}_{frames}"]

    model = load_audio2motion(weights(numbers, variant))
    with torch.no_grad():
        got = model(
            given("hubert"),
            bins(given("f0")),
            given("blink")[..., 0].long(),
            given("z") * temperature,
            numbers[f"{variant}/mouth_amp"],
            numbers[f"{variant}/eye_amp"],
        )
    assert (got - given(f"out_{name}")).abs().max() < TOLERANCE


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_published_sizes():
    """Less the norms g, which are folded away: 128 in FastHuBERT, 11,776 in the others."""
    assert count(FastHubert()) == 93203584 - 128
    pitch = {"pitch": 128, "projected": True, "mouth": True, "blink": True}
    for wanted, model in (
        (4950240, Audio2Motion(1024, 128, 64, **pitch)),
        (4966752, Audio2Motion(1024, 128, 64, eye=True, **pitch)),
        (4153248, Audio2Motion(1024, 64, 64, blink=True)),
        (4398924, Audio2Motion(1024, 64, 204, pitch=32, pitch_width=64)),
        (4189100, Audio2Motion(1024, 64, 204)),
    ):
        assert count(model) == wanted - 11776


def test_weights_that_are_missing_unexpected_or_of_the_wrong_shape_are_named(numbers):
    whole = weights(numbers, "fasthubert")
    load_fasthubert(
        dict(whole, **{"feature_extractor.conv_layers.0.weight": torch.zeros(1)}), heads=4
    )
    for change, error, word in (
        (lambda s: s.pop("encoder.layers.1.fc2.bias"), KeyError, "encoder.layers.1.fc2.bias"),
        (lambda s: s.pop("encoder.pos_conv.0.weight_g"), KeyError, "pos_conv.0.weight_g"),
        (lambda s: s.update(extra=torch.zeros(1)), ValueError, "unexpected: extra"),
        (
            lambda s: s.update({"layer_norm.bias": torch.zeros(3)}),
            ValueError,
            "layer_norm.bias: (3,)",
        ),
        (
            lambda s: s.update({"layer_norm.bias": torch.full((32,), float("nan"))}),
            ValueError,
            "no numbers",
        ),
    ):
        state = dict(whole)
        change(state)
        with pytest.raises(error) as caught:
            load_fasthubert(state, heads=4)
        assert word in str(caught.value)


def test_fasthubert_in_onnx_opset_13_of_any_length(numbers, tmp_path):
    model, path = load_fasthubert(weights(numbers, "fasthubert"), heads=4), str(tmp_path / "f.onnx")
    with torch.no_grad():
        torch.onnx.export(
            model,
            numbers["fasthubert/in_100"],
            path,
            opset_version=13,
            dynamo=False,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {1: "T"}, "y": {1: "T"}},
        )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for frames in (100, 101, 103):
        got = session.run(None, {"x": numbers[f"fasthubert/in_{frames}"].numpy()})[0]
        assert np.abs(got - numbers[f"fasthubert/out_{frames}"].numpy()).max() < TOLERANCE
