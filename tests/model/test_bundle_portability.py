"""Every committed graph must load in ONNX Runtime 1.10 and with the parser of TensorRT 8.2."""

import os

import onnx
import pytest
from support.tensorrt import TENSORRT_8_2

from edgeface.core.resources import DEFAULT_BUNDLE

pytestmark = pytest.mark.system

# operators that these graphs may use: all are in the operator table of onnx-tensorrt 8.2-GA
GRAPHS = sorted(name for name in os.listdir(DEFAULT_BUNDLE) if name.endswith(".onnx"))


def test_all_look_aheads_are_there():
    assert (
        sorted(
            f"{kind}_{ms}.onnx" for kind in ("block", "step", "whole") for ms in (0, 40, 80, 160)
        )
        == GRAPHS
    )


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(name):
    path = os.path.join(DEFAULT_BUNDLE, name)
    onnx.checker.check_model(path)
    model = onnx.load(path)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 13)]
    assert model.ir_version <= 8
    assert {node.op_type for node in model.graph.node} <= TENSORRT_8_2
    for value in list(model.graph.input) + list(model.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert all(dimension.dim_value > 0 for dimension in value.type.tensor_type.shape.dim), (
            value.name
        )
    weights = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            assert set(node.input[1:]) <= weights, node.name


@pytest.mark.parametrize("name", [name for name in GRAPHS if not name.startswith("whole")])
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
    assert {f"new_{name}": shape for name, shape in inputs.items()} == outputs
