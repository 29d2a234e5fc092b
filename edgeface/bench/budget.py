"""What a model needs, read from its ONNX, against what a board has."""

import os
import subprocess
from typing import Any, Dict, NamedTuple, Optional, Set, Tuple

import numpy as np

from ..core.advice import install_extra
from ..core.child import python_command
from ..core.errors import UnavailableError

# Share of the peak that small transformer blocks reach. Measured on a Nano in ONNX Runtime:
# DistilBERT 56 of 236 GFLOPS on the GPU and 10 of 46 on the CPU, vision backbones 45 to 54 on the
# GPU.
GPU_SHARE = 0.24
CPU_SHARE = 0.21
SOURCE = "24 % of a GPU's and 21 % of a CPU's peak: DistilBERT in ONNX Runtime on a Nano"
GPU_CONTEXT_MB = 1000  # CUDA, cuDNN and cuBLAS, on boards where GPU and CPU share memory
PROCESS_MB = 85
_FLOAT_BYTES = 4
_BYTES = (2, 3)  # of TensorProto: uint8 and int8
# operators that move values and compute nothing
_FREE = (
    "Constant",
    "Identity",
    "Reshape",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Concat",
    "Slice",
    "Split",
    "Gather",
    "Expand",
    "Tile",
)
LAUNCH_US = 20.0  # a kernel launch on a small board; the step graph has one kernel a node


class Device(NamedTuple):
    """Peaks of a board from data sheets.

    `cpu_core`, `gpu`: GFLOPS at float32, which is cores x operations per cycle x clock in GHz;
    `bandwidth`: of the memory, GB/s; `core_bandwidth`: what one core gets of that, no peak but
    measured; `watts`: of the power mode, None if not stated.
    """

    title: str
    cpu_core: float
    gpu: float
    bandwidth: float
    core_bandwidth: float
    memory_mb: int
    watts: Optional[float] = None


# What a core moves when it copies memory, read and written, by sbc-bench (ThomasKaiser/sbc-bench,
# Results.md): Nano 2 x 3.7, AGX Xavier at 2.25 GHz 2 x 10.9, AGX Orin at 2.2 GHz 2 x 10.6 GB/s.
# Others have the same cores, slower by their clock; Thor's are newer than those of the AGX Orin.
_A57 = 7.4
_CARMEL = 21.8 / 2.25  # a GHz
_A78 = 21.2 / 2.2  # a GHz
DEVICES = {
    "nano": Device("Jetson Nano 4 GB, 10 W", 8 * 1.43, 128 * 2 * 0.9216, 25.6, _A57, 3964, 10.0),
    "nano-2gb": Device(
        "Jetson Nano 2 GB, 10 W", 8 * 1.43, 128 * 2 * 0.9216, 25.6, _A57, 1980, 10.0
    ),
    "tx2": Device("Jetson TX2, MAXN", 8 * 2.0, 256 * 2 * 1.30, 59.7, _A57, 7854),
    "xavier-nx": Device(
        "Jetson Xavier NX, 15 W", 8 * 1.4, 384 * 2 * 1.10, 59.7, 1.4 * _CARMEL, 7771, 15.0
    ),
    "orin-nano": Device(
        "Jetson Orin Nano 8 GB, 15 W", 16 * 1.51, 1024 * 2 * 0.625, 68.0, 1.51 * _A78, 7620, 15.0
    ),
    "agx-orin": Device(
        "Jetson AGX Orin 32 GB", 16 * 2.2, 1792 * 2 * 0.93, 204.8, 2.2 * _A78, 30536
    ),
    "thor": Device("Jetson AGX Thor", 16 * 2.6, 2560 * 2 * 1.57, 273.0, 2.2 * _A78, 125749),
}


class Cost(NamedTuple):
    """One run of a graph.

    `flops`: operations; `weight_bytes`: of weights; `other_bytes`: of everything else that moves.
    """

    flops: float
    weight_bytes: float
    other_bytes: float
    nodes: int


def graph_cost(path: str) -> Cost:
    """What an ONNX file with static shapes costs.

    Matrix products and convolutions count 2 operations a product, all other
    nodes one an output value. Nodes of constants only are the constants that they make.

    :raises UnavailableError: the package onnx is not installed
    """
    try:
        import onnx
    except ImportError:
        raise UnavailableError(f"plan: onnx is missing; {install_extra('plan')}") from None
    model = onnx.shape_inference.infer_shapes(onnx.load(path, load_external_data=False))
    graph = model.graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    values = {
        tensor.name: 1 if tensor.data_type in _BYTES else _FLOAT_BYTES
        for tensor in graph.initializer
    }
    for value in list(graph.value_info) + list(graph.input) + list(graph.output):
        shapes[value.name] = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
    flops = 0.0
    moved = 0.0
    nodes = 0
    weights: Set[str] = set()
    for node in graph.node:
        if all(name in values for name in node.input):  # computed when the graph is loaded
            values.update(dict.fromkeys(node.output, _FLOAT_BYTES))
            continue
        nodes += 1
        weights.update(name for name in node.input if name in values)
        written = float(sum(np.prod(shapes.get(name, (0,))) for name in node.output))
        inputs = [name for name in node.input if name not in values]
        read = float(sum(np.prod(shapes.get(name, ())) for name in inputs))
        flops += written * _operations_per_value(node, shapes)
        moved += _FLOAT_BYTES * (written + read)
    weight_bytes = float(sum(values[name] * np.prod(shapes.get(name, ())) for name in weights))
    return Cost(flops, weight_bytes, moved, nodes)


def _operations_per_value(node: Any, shapes: Dict[str, Tuple[int, ...]]) -> int:
    """Operations for one value of the output."""
    if node.op_type in ("MatMul", "Gemm", "MatMulIntegerToFloat"):
        return 2 * shapes[node.input[0]][-1]
    if node.op_type == "Conv":
        return 2 * int(np.prod(shapes[node.input[1]][1:]))
    return 0 if node.op_type in _FREE else 1


def floor_ms(cost: Cost, gflops: float, bandwidth: float) -> Tuple[float, float]:
    """The least time of a run in ms: for the operations, and for the memory.

    :param bandwidth: GB/s
    """
    compute_ms = cost.flops / gflops / 1e6
    memory_ms = (cost.weight_bytes + cost.other_bytes) / bandwidth / 1e6
    return compute_ms, memory_ms


def estimate_ms(cost: Cost, device: Device, gpu: bool = False) -> float:
    """Estimated ms of a run on one CPU core, or on the GPU, 25 times a second.

    Between two frames others use the caches: all weights come from memory, and a core that waits
    for them computes little meanwhile.
    """
    if not gpu:
        return sum(floor_ms(cost, CPU_SHARE * device.cpu_core, device.core_bandwidth))
    launches_ms = cost.nodes * LAUNCH_US / 1e3
    return max(floor_ms(cost, GPU_SHARE * device.gpu, device.bandwidth)) + launches_ms


_PEAK = """
import time, numpy as np
a, big = np.ones((512, 512), np.float32), np.ones(16 << 20, np.float32)
target = np.empty_like(big)
def seconds(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
print(max(2 * 512 ** 3 / seconds(lambda: a @ a) / 1e9 for _ in range(30)),
      max(2 * big.nbytes / seconds(lambda: np.copyto(target, big)) / 1e9 for _ in range(5)))
"""


def measure_machine() -> Device:
    """This machine: matrix products and copies of 64 MB on one core, in a process of one thread."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = dict(os.environ, **dict.fromkeys(variables, "1"))
    output = subprocess.check_output(python_command(_PEAK), env=environment)
    gflops, bandwidth = output.split()
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1000000
    gigabytes = float(bandwidth)
    return Device("this machine, measured", float(gflops), 0.0, gigabytes, gigabytes, memory_mb)
