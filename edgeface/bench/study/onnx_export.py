"""Networks as ONNX files for clips of any length, and sessions for them."""

from typing import Dict, Sequence, Tuple

import torch

from ...importer.onnx_files import OPSET
from ...model.runtime.library import onnxruntime


def export_any_length(
    module: torch.nn.Module,
    inputs: Tuple[torch.Tensor, ...],
    input_names: Sequence[str],
    output_name: str,
    axes: Dict[str, Dict[int, str]],
    path: str,
) -> None:
    """Exports a module of one output.

    :param inputs: an example of each input
    :param axes: names of the axes of any length, by tensor and number of the axis; {}: none
    """
    with torch.no_grad():
        torch.onnx.export(
            module,
            inputs,
            path,
            opset_version=OPSET,
            dynamo=False,
            input_names=list(input_names),
            output_names=[output_name],
            dynamic_axes=axes,
        )


def open_graph(
    path: str, threads: int, provider: str = "CPUExecutionProvider"
) -> onnxruntime.InferenceSession:
    """A session with so many threads for an operator."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=[provider])
