"""The budget of a model on a board."""

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.process import edgeface

from edgeface.bench.budget import DEVICES, Cost, estimate_ms, floor_ms, graph_cost

pytestmark = pytest.mark.system


def test_operations_and_bytes_of_a_graph_whose_figures_are_known(tmp_path):
    """A convolution 8 -> 16, kernel 3, 10 steps; its output times a 16 x 5 matrix."""
    kernel = numpy_helper.from_array(np.zeros((16, 8, 3), np.float32), "kernel")
    matrix = numpy_helper.from_array(np.zeros((16, 5), np.float32), "matrix")
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["y"], pads=[1, 1]),
        helper.make_node("Transpose", ["y"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["t", "matrix"], ["m"]),
        helper.make_node("Sigmoid", ["m"], ["z"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 10])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 10, 5])],
        [kernel, matrix],
    )
    path = str(tmp_path / "g.onnx")
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), path
    )
    cost = graph_cost(path)
    assert cost.flops == 2 * 16 * 10 * 8 * 3 + 2 * 10 * 5 * 16 + 50
    assert cost.weight_bytes == 4 * (16 * 8 * 3 + 16 * 5)
    assert cost.other_bytes == 4 * ((160 + 80) + (160 + 160) + (50 + 160) + (50 + 50))
    assert cost.nodes == 4


def test_floors_and_estimates():
    cost = Cost(flops=1e9, weight_bytes=4e8, other_bytes=0, nodes=100)
    nano = DEVICES["nano"]
    compute, memory = floor_ms(cost, nano.gpu, nano.bandwidth)
    assert compute == pytest.approx(1e3 / 235.9, rel=1e-3) and memory == pytest.approx(
        15.6, rel=1e-2
    )
    assert estimate_ms(cost, nano, gpu=True) == pytest.approx(1e3 / (0.24 * 235.9) + 2.0, rel=1e-3)
    # a core waits for the weights, and then computes
    assert estimate_ms(cost, nano) == pytest.approx(1e3 / (0.21 * 11.44) + 400 / 7.4, rel=1e-3)


@pytest.mark.parametrize("device", sorted(DEVICES))
def test_every_board_gets_a_verdict_for_every_hop(device):
    result = edgeface("plan", "--device", device)
    assert result.returncode == 0, result.stderr
    assert len(re.findall(r"(?:fits|tight|too slow)$", result.stdout, re.M)) == 7
    assert "step graph, one core" in result.stdout and "fits" in result.stdout


def test_here_estimate_and_measurement_stand_side_by_side():
    result = edgeface("plan", "--device", "here")
    assert result.returncode == 0, result.stderr
    line = (
        r"measured: step graph ([\d.]+) ms after .*, estimated ([\d.]+) ms;"
        r" ([\d.]+) ms in a loop, (\d+) % of this core's peak"
    )
    cold, estimated, hot, share = map(float, re.search(line, result.stdout).groups())
    assert 0 < hot < 80 and 0 < cold < 80 and 0 < share <= 100 and 0.05 < estimated / cold < 20
