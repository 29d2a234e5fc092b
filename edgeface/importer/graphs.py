"""The study's networks as ONNX graphs of fixed length (opset 13, IR 7), in which less sound than fits may be heard.

What lies behind the end counts nothing, exactly as if the input ended there. Upstream's masks begin behind the
convolutions; these begin before them.
"""

import logging

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional

from .audio2motion import FRAMES_PER_LATENT, LATENT
from .fasthubert import MEL_BINS

FBANK_PER_FRAME = 4
_EXTERNAL_BYTES = 1024  # smaller tensors stay in the graphs


def _heard(count, length, unit):
    """1 where position times unit < length, else 0: float [count]; whole numbers, so no comparison is needed."""
    return (length - torch.arange(0, count * unit, unit, dtype=torch.float32)).clamp(0.0, 1.0)


class EncoderGraph(nn.Module):
    """Fbank as it comes, [1, 4 T, 80], of which `rows` [1] count, to features [1, T, C].

    :param mean: of Fbank, float32 [80]; `std` likewise
    """

    frames = 0  # of a window; a constant in the graph

    INPUTS, OUTPUTS = ["fbank", "rows"], ["features"]

    def __init__(self, model, mean, std):
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("std", torch.from_numpy(std))

    def example(self, frames):
        """Inputs of that length."""
        return torch.zeros(1, FBANK_PER_FRAME * frames, MEL_BINS), torch.full(
            (1,), float(FBANK_PER_FRAME * frames)
        )

    def forward(self, fbank, rows):
        """See the class."""
        count = FBANK_PER_FRAME * self.frames
        x = ((fbank - self.mean) / self.std).transpose(1, 2) * _heard(count, rows, 1)
        for i, layer in enumerate(self.model.subsample.conv_layers):
            x = functional.glu(layer(x), 1) * _heard(count >> (i + 1), rows, 2 << i)
        heard = _heard(self.frames, rows, FBANK_PER_FRAME)[None]
        return self.model.encode(self.model.project(x), heard) * heard[..., None]

    def plain(self, fbank):
        """Features of all rows without any mask: what the graph is compared with."""
        return self.model((fbank - self.mean) / self.std)


class MotionGraph(nn.Module):
    """Features [1, T, C], F0 bins [1, T] and noise times temperature [1, 16, T / 4] to landmarks [1, T, 68, 3].

    Of the T frames `frames` [1], a multiple of 4, count.

    :param model: an `Audio2Motion`
    :param matrix: float32 [outputs, 204], what makes landmarks of its motion, and `offset` [204] what is added
    """

    frames = 0

    INPUTS, OUTPUTS = ["features", "f0_bins", "z", "frames"], ["landmarks"]

    def __init__(self, model, matrix, offset, mouth_amp):
        super().__init__()
        self.model = model
        self.register_buffer("matrix", torch.from_numpy(matrix))
        self.register_buffer("offset", torch.from_numpy(offset))
        self.register_buffer("mouth_amp", torch.full((1, 1), float(mouth_amp)))

    def example(self, frames):
        """Inputs of that length."""
        width = self.model.mel_encoder[0].weight.shape[1]
        return (
            torch.zeros(1, frames, width),
            torch.ones(1, frames, dtype=torch.int64),
            torch.zeros(1, LATENT, frames // FRAMES_PER_LATENT),
            torch.full((1,), float(frames)),
        )

    def forward(self, features, f0_bins, z, frames):
        """See the class."""
        mask = _heard(self.frames, frames, 1)[None, None]
        latent_mask = _heard(self.frames // FRAMES_PER_LATENT, frames, FRAMES_PER_LATENT)[
            None, None
        ]
        g = self.model.condition(
            features.transpose(1, 2),
            f0_bins,
            torch.zeros_like(f0_bins),
            self.mouth_amp,
            torch.ones(1, 1),
            mask,
        )
        return self._landmarks(self.model.generate(g, z, mask, latent_mask), self.frames)

    def plain(self, features, f0_bins, z):
        """Landmarks of all frames without any mask: what the graph is compared with."""
        g = self.model.condition(
            features.transpose(1, 2),
            f0_bins,
            torch.zeros_like(f0_bins),
            self.mouth_amp,
            torch.ones(1, 1),
        )
        return self._landmarks(self.model.generate(g, z), features.shape[1])

    def _landmarks(self, motion, count):
        return (motion @ self.matrix + self.offset).reshape(1, count, 68, 3)


def write_graph(module, frames, path):
    """Exports an `EncoderGraph` or `MotionGraph` of that many frames."""
    module.eval().frames = frames
    with torch.no_grad():
        torch.onnx.export(
            module,
            module.example(frames),
            str(path),
            input_names=module.INPUTS,
            output_names=module.OUTPUTS,
            opset_version=13,
            dynamo=False,
        )
    model = onnx.load(str(path))
    model.ir_version = 7
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def reduce_precision(path, precision):
    """Rewrites a graph with half-precision (`float16`) or 8-bit (`int8`) weights; inputs and outputs stay float32."""
    if precision == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        # squares in the normalisations overflow half precision
        model = convert_float_to_float16(
            onnx.load(str(path)),
            keep_io_types=True,
            op_block_list=["Pow", "ReduceMean", "Sqrt", "Div", "Range"],
        )
        onnx.save(model, str(path))
    elif precision == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        logging.getLogger().setLevel(
            logging.ERROR
        )  # it advises a step that this graph does not need
        # weights of 7 bits: with 8, sums of two products overflow 16 bits on x86 processors that lack VNNI
        quantize_dynamic(
            str(path),
            str(path),
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )


def share_weights(paths, weights):
    """Moves the large initialisers of graphs in one folder to the file `weights` there, each content once."""
    offsets, data = {}, bytearray()
    for path in paths:
        model = onnx.load(str(path))
        for tensor in model.graph.initializer:
            raw = np.ascontiguousarray(onnx.numpy_helper.to_array(tensor)).tobytes()
            if len(raw) < _EXTERNAL_BYTES:
                continue
            if raw not in offsets:
                data.extend(b"\0" * (-len(data) % 64))
                offsets[raw] = len(data)
                data.extend(raw)
            tensor.raw_data = raw
            onnx.external_data_helper.set_external_data(
                tensor, weights.name, offsets[raw], len(raw)
            )
            tensor.ClearField("raw_data")
        path.write_bytes(model.SerializeToString(deterministic=True))
    weights.write_bytes(data)
