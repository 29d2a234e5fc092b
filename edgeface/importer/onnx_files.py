"""ONNX files as a bundle holds them: opset 13, IR 7, static shapes, shared weights."""

import logging
from pathlib import Path
from typing import Dict, Sequence, Tuple, Union

import numpy as np
import onnx
import torch
from torch import nn

from ..model.runtime.library import onnxruntime  # noqa: F401 - before its tools are imported

OPSET = 13
_IR_VERSION = 7
_EXTERNAL_BYTES = 1024  # smaller tensors stay in the graphs
_ALIGNMENT_BYTES = 64
# squares in normalisations overflow half precision
_SINGLE_PRECISION = ["Pow", "ReduceMean", "Sqrt", "Div", "Range"]


def write_graph(
    module: nn.Module,
    inputs: Tuple[torch.Tensor, ...],
    input_names: Sequence[str],
    output_names: Sequence[str],
    path: Path,
) -> None:
    """Exports a module for inputs of the shapes of these."""
    with torch.no_grad():
        torch.onnx.export(
            module,
            inputs,
            str(path),
            input_names=list(input_names),
            output_names=list(output_names),
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    model.ir_version = _IR_VERSION
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def reduce_precision(path: Union[str, Path], precision: str) -> None:
    """Rewrites a graph with smaller weights; inputs and outputs stay float32.

    :param precision: `float16`; `int8`, with products in 8 bits; anything else changes nothing
    """
    if precision == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        model = convert_float_to_float16(
            onnx.load(str(path)), keep_io_types=True, op_block_list=_SINGLE_PRECISION
        )
        onnx.save(model, str(path))
    elif precision == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        # it advises a step that this graph does not need
        logging.getLogger().setLevel(logging.ERROR)
        # weights of 7 bits: with 8, sums of two products overflow 16 bits on x86 without VNNI
        quantize_dynamic(
            str(path),
            str(path),
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )


def share_weights(paths: Sequence[Path], weights: Path) -> None:
    """Moves the large initialisers of graphs into one file, each content once.

    :param paths: graphs in one folder, which are rewritten
    :param weights: the file, in the same folder
    """
    offsets: Dict[bytes, int] = {}
    data = bytearray()
    for path in paths:
        model = onnx.load(str(path))
        for tensor in model.graph.initializer:
            raw = np.ascontiguousarray(onnx.numpy_helper.to_array(tensor)).tobytes()
            if len(raw) < _EXTERNAL_BYTES:
                continue
            if raw not in offsets:
                data.extend(b"\0" * (-len(data) % _ALIGNMENT_BYTES))
                offsets[raw] = len(data)
                data.extend(raw)
            tensor.raw_data = raw
            onnx.external_data_helper.set_external_data(
                tensor, weights.name, offsets[raw], len(raw)
            )
            tensor.ClearField("raw_data")
        path.write_bytes(model.SerializeToString(deterministic=True))
    weights.write_bytes(data)
