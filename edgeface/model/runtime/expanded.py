"""A graph whose constants are computed, for a parser that wants ordinary weights."""

import os
import shutil

from ...core.errors import DataError, one_line
from ...core.text import utf8_path
from .library import onnxruntime


def write_expanded(path: str, folder: str) -> str:
    """Writes a graph as ONNX Runtime computes it, with float32 weights where it has 8 bits.

    :param path: of an ONNX file of a bundle; its operators stay those of ONNX
    :param folder: an empty one for the graph, and for copies of the weights that it still reads
    :return: path of the graph
    :raises DataError: the file does not load
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    target = os.path.join(folder, os.path.basename(path))
    bundle = os.path.dirname(os.path.abspath(path))
    try:
        with utf8_path(path) as name, utf8_path(target) as target_name:
            options.optimized_model_filepath = target_name
            onnxruntime.InferenceSession(name, options, providers=["CPUExecutionProvider"])
        for weights in os.listdir(bundle):
            if weights.endswith(".bin"):
                shutil.copyfile(os.path.join(bundle, weights), os.path.join(folder, weights))
    except Exception as error:  # the binding raises a class of its own per failure
        raise DataError(f"{path}: ONNX Runtime does not load it ({one_line(error, 160)})") from None
    return target
