"""Every committed graph must load in ONNX Runtime 1.10, all but the CPU's in TensorRT 8.2."""

import os

import numpy as np
import onnx
import pytest
from support.tensorrt import TENSORRT_8_2

from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.features.fbank import Fbank
from edgeface.model.runtime.expanded import write_expanded
from edgeface.model.runtime.providers import open_session
from edgeface.model.stepper import LEAD_SAMPLES, CachedStepper

pytestmark = pytest.mark.system

GRAPHS = sorted(name for name in os.listdir(DEFAULT_BUNDLE) if name.endswith(".onnx"))
PORTABLE = [name for name in GRAPHS if not name.startswith("cpu")]
STREAMING = [name for name in GRAPHS if not name.startswith("whole")]


def test_all_look_aheads_are_there():
    assert (
        sorted(
            f"{kind}_{ms}.onnx"
            for kind in ("block", "cpu", "step", "whole")
            for ms in (0, 40, 80, 160)
        )
        == GRAPHS
    )


@pytest.mark.parametrize("name", PORTABLE)
def test_graph(name, tmp_path):
    """As TensorRT gets it: with float32 weights. Operators: those of onnx-tensorrt 8.2."""
    path = os.path.join(DEFAULT_BUNDLE, name)
    onnx.checker.check_model(path)
    model = onnx.load(path)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 13)]
    model = onnx.load(write_expanded(path, str(tmp_path)), load_external_data=False)
    assert model.ir_version <= 8
    assert {node.op_type for node in model.graph.node} <= TENSORRT_8_2
    assert all(node.domain == "" for node in model.graph.node)
    for value in list(model.graph.input) + list(model.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert all(dimension.dim_value > 0 for dimension in value.type.tensor_type.shape.dim), (
            value.name
        )
    weights = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            assert set(node.input[1:]) <= weights, node.name


@pytest.mark.parametrize("ms", (0, 40, 80, 160))
def test_a_step_on_a_cpu_multiplies_8_bits_exactly(bundle, clips, ms):
    """Beside the graph that multiplies in float32.

    Sums of two products must stay below 16 bits: digits are 0 to 128, weights -127 to 127.
    """
    path = os.path.join(DEFAULT_BUNDLE, f"cpu_{ms}.onnx")
    model = onnx.load(path)
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMulIntegerToFloat"]
    weights = [constants[node.input[1]] for node in products]
    assert len(products) == 13 and all(weight.dtype == np.int8 for weight in weights)
    assert sum(weight.size for weight in weights) > 2.2e6
    assert all(np.abs(weight.astype(int)).max() == 127 for weight in weights)
    fbank = Fbank()
    fbank.accept(np.zeros(LEAD_SAMPLES, np.float32))
    rows = fbank.accept((clips["samples"][:2].reshape(-1) / 32768.0).astype(np.float32))
    faces = []
    for graph in (path, bundle.step_file(ms)):
        stepper = CachedStepper(open_session(graph), bundle.network.context_frames)
        steps = [stepper.step(rows[at : at + 4], (), ()) for at in range(0, len(rows) - 3, 4)]
        faces.append([np.concatenate([step[k] for step in steps]) for k in range(3)])
    largest = max(np.abs(one - other).max() for one, other in zip(*faces))
    print(f"{ms} ms: largest difference {largest:.1e}")
    assert 0 < largest < 5e-5


def test_other_processors_multiply_float32(bundle, monkeypatch):
    assert bundle.cpu_step_file(80).endswith("cpu_80.onnx")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert bundle.cpu_step_file(80) == bundle.step_file(80)


@pytest.mark.parametrize("name", STREAMING)
def test_every_cache_comes_out_as_it_went_in(name):
    graph = onnx.load(os.path.join(DEFAULT_BUNDLE, name), load_external_data=False).graph

    def shapes(values):
        return {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}

    inputs, outputs = shapes(graph.input), shapes(graph.output)
    frames = 64 if name.startswith("block") else 1
    assert inputs.pop("fbank") == [1, 4 * frames, 80]
    assert outputs.pop("landmarks") == [frames, 68, 3]
    assert outputs.pop("blendshapes") == [frames, 52]
    assert outputs.pop("speech") == [frames]
    assert {f"new_{name}" for name in inputs} == set(outputs)
    for cache, shape in inputs.items():
        if name.startswith("cpu"):  # what is older lies in front: one axis is longer, after ones
            new = outputs[f"new_{cache}"]
            time = next(i for i, length in enumerate(shape) if length > 1)
            assert new[time] > shape[time]
            assert new[:time] + new[time + 1 :] == shape[:time] + shape[time + 1 :]
        else:
            assert outputs[f"new_{cache}"] == shape
