"""How much of a core FastHuBERT reaches."""

import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime
import torch

from ...importer.fasthubert import FastHubert
from ..budget import graph_cost, measure_machine

_MEMORY = """
import sys, numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
session.run(None, {"x": numpy.zeros([int(n) for n in sys.argv[2].split(",")], numpy.float32)})
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def fasthubert_effort(seconds=4.64):
    """FastHuBERT base in ONNX on one thread: (GFLOPS reached, GFLOPS of a core's matrix product, process' MB)."""
    with tempfile.TemporaryDirectory() as folder:
        path, shape = (
            os.path.join(folder, "f.onnx"),
            (1, 1 + int((seconds * 16000 - 400) / 160), 80),
        )
        with torch.no_grad():
            torch.onnx.export(
                FastHubert().eval(),
                torch.zeros(shape),
                path,
                opset_version=13,
                dynamo=False,
                input_names=["x"],
                output_names=["y"],
            )
        cost = graph_cost(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        x, times = np.zeros(shape, np.float32), []
        for _ in range(6):
            began = time.perf_counter()
            session.run(None, {"x": x})
            times.append(time.perf_counter() - began)
        memory = subprocess.check_output(
            [sys.executable, "-c", _MEMORY, path, ",".join(map(str, shape))]
        )
    return cost.flops / np.median(times[1:]) / 1e9, measure_machine().cpu_core, int(memory) / 1e3
