"""How much of a core FastHuBERT reaches."""

import os
import subprocess
import tempfile
import time
from typing import Tuple

import numpy as np
import torch

from ...core.child import python_command
from ...core.rates import SAMPLE_RATE_HZ
from ...features.fbank import MEL_BINS, SHIFT_SAMPLES, WINDOW_SAMPLES
from ...importer.fasthubert import FastHubert
from ..budget import graph_cost, measure_machine
from .onnx_export import export_any_length, open_graph

_RUNS = 6
_MEMORY = """
import sys, numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
session.run(None, {"x": numpy.zeros([int(n) for n in sys.argv[2].split(",")], numpy.float32)})
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def fasthubert_effort(seconds: float = 4.64) -> Tuple[float, float, float]:
    """FastHuBERT base in ONNX on one thread.

    :param seconds: of sound
    :return: GFLOPS reached, GFLOPS of a core's matrix product, MB that a process takes
    """
    rows = 1 + int((seconds * SAMPLE_RATE_HZ - WINDOW_SAMPLES) / SHIFT_SAMPLES)
    shape = (1, rows, MEL_BINS)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "fasthubert.onnx")
        export_any_length(FastHubert().eval(), (torch.zeros(shape),), ["x"], "y", {}, path)
        cost = graph_cost(path)
        session = open_graph(path, threads=1)
        x = np.zeros(shape, np.float32)
        times = []
        for _ in range(_RUNS):
            began = time.perf_counter()
            session.run(None, {"x": x})
            times.append(time.perf_counter() - began)
        sizes = ",".join(str(size) for size in shape)
        memory_kb = subprocess.check_output(python_command(_MEMORY, path, sizes))
    reached = cost.flops / float(np.median(times[1:])) / 1e9
    return reached, measure_machine().cpu_core, int(memory_kb) / 1e3
