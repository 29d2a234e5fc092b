"""Weights of 8 bits, and a product with them on a CPU that is exact but for rounding in float32.

The weights are rounded once, per output, for every graph of a bundle. On a GPU and for files they
are ordinary numbers. A step on a CPU waits for memory more than it computes, so there the product
reads the 8 bits: activations are cut into three digits of 7 bits, each digit is multiplied as
integers, and the sums are put together again. After Ozaki, Ogita, Oishi and Rump, 2012: Error-free
transformations of matrix multiplication by using fast routines of matrix multiplication.

Digits of 7 bits, because sums of two products with 8 bits overflow 16 bits on x86 without VNNI.
Where the digits begin follows from how large an activation can be at all, not from what was heard.
"""

import math
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import onnx
import torch
from torch import nn

from .network import Network

_LARGEST = 127
_DIGITS = 3
_DIGIT_BITS = 7
_MIDDLE = 1 << _DIGIT_BITS - 1  # digits are -64 to 64, and unsigned with this added
_ROUND_TO_UNIT = 1.5 * 2.0**23  # times a unit: adding and subtracting it rounds float32
_DOMAIN = "com.microsoft"
# what the constants are called that make a weight of this name
_INTEGERS = ".int8"
_SCALES = ".scale"
_TAPS = ".taps"
_SHAPE = ".shape"


class Rounded(NamedTuple):
    """A weight in 8 bits: `integers` int8 [taps x inputs, outputs] times `scales` [outputs].

    `taps`: of a convolution, 1 of a product.
    """

    integers: torch.Tensor
    scales: torch.Tensor
    taps: int

    def values(self) -> torch.Tensor:
        """As the network has it: float32 [outputs, inputs], or [outputs, inputs, taps]."""
        outputs = len(self.scales)
        values = (self.integers.float() * self.scales).T
        if self.taps == 1:
            return values.contiguous()
        return values.reshape(outputs, self.taps, -1).transpose(1, 2).contiguous()


def _parameters(network: Network) -> Iterator[Tuple[str, nn.Parameter]]:
    """The large weights, which are rounded: nine tenths of all."""
    yield "conv2.weight", network.conv2.weight
    for i, layer in enumerate(network.stack):
        for name, module in (
            ("attention.qkv", layer.attention.qkv),
            ("ffn.0", layer.ffn[0]),
            ("ffn.2", layer.ffn[2]),
        ):
            yield f"layers.{i}.{name}.weight", module.weight


def round_weights(network: Network) -> Dict[str, Rounded]:
    """Rounds the large weights of a network.

    :return: what they are now, by name
    """
    rounded = {}
    for name, parameter in _parameters(network):
        weight = parameter.detach()
        taps = weight.shape[2] if weight.dim() == 3 else 1
        flat = weight.transpose(1, 2).flatten(1) if taps > 1 else weight
        scales = flat.abs().amax(1).clamp(min=1e-12) / _LARGEST
        integers = torch.round(flat / scales[:, None]).clamp(-_LARGEST, _LARGEST)
        rounded[name] = Rounded(integers.T.contiguous().to(torch.int8), scales, taps)
        parameter.data = rounded[name].values()
    return rounded


class _Product(torch.autograd.Function):
    """What PyTorch computes, and the nodes that the exporter writes for it."""

    @staticmethod
    def forward(ctx: Any, x, integers, scales, bias, added, *constants):
        return x @ (integers.float() * scales) + bias * constants[-1].sum() + added

    @staticmethod
    def symbolic(g: Any, x, integers, scales, bias, added, *constants):
        shift, differences, units, middles, middle, zero, one, sums = constants
        rounded = g.op("Sub", g.op("Add", x, shift), shift)
        digits = g.op(
            "QuantizeLinear", g.op("MatMul", differences, rounded), units, middles, axis_i=0
        )
        products = g.op(
            f"{_DOMAIN}::MatMulIntegerToFloat", digits, integers, one, scales, middle, zero, bias
        )
        return g.op("Gemm", sums, products, added)


class RoundedLinear(nn.Module):
    """x [1, inputs] times a rounded weight, plus a bias, plus what is given.

    :param bias: [outputs]
    :param most: what no |x| exceeds
    """

    def __init__(self, rounded: Rounded, bias: torch.Tensor, most: float):
        super().__init__()
        first = 2.0 ** math.ceil(math.log2(most / (_MIDDLE - 1)))
        units = torch.tensor([first * 2.0 ** (-_DIGIT_BITS * i) for i in range(_DIGITS)])
        buffers = {
            "integers": rounded.integers,
            "scales": rounded.scales,
            "bias": bias.detach() / units.sum(),  # which every digit adds
            "nothing": torch.zeros(1),
            # rows: x to the unit of each digit; less the row before: the digit
            "shift": _ROUND_TO_UNIT * units[:, None],
            "differences": torch.eye(_DIGITS) - torch.diag(torch.ones(_DIGITS - 1), -1),
            "units": units,
            "middles": torch.full((_DIGITS,), _MIDDLE, dtype=torch.uint8),
            "middle": torch.tensor(_MIDDLE, dtype=torch.uint8),
            "zero": torch.tensor(0, dtype=torch.int8),
            "one": torch.tensor(1.0),
            "sums": units[None],
        }
        for name, value in buffers.items():
            self.register_buffer(name, value)
        self._order = list(buffers)

    def forward(self, x: torch.Tensor, added: Optional[torch.Tensor] = None) -> torch.Tensor:
        """[1, inputs] to [1, outputs], plus `added`."""
        values = {name: getattr(self, name) for name in self._order}
        if added is not None:
            values["nothing"] = added
        return _Product.apply(x, *values.values())


def most_of_norm(norm: nn.LayerNorm) -> float:
    """What no |output| of a layer normalisation exceeds, since no normalised x does sqrt(n - 1)."""
    weight, bias = norm.weight.detach(), norm.bias.detach()
    return float((math.sqrt(len(weight) - 1) * weight.abs() + bias.abs()).max())


def most_after(norm: nn.LayerNorm, linear: nn.Linear) -> float:
    """What no |output| of a linear layer exceeds, since a normalised x has the norm sqrt(n)."""
    weight, bias = linear.weight.detach(), linear.bias.detach()
    longest = math.sqrt(len(norm.weight)) * (weight * norm.weight.detach()).norm(dim=1)
    return float((longest + (weight @ norm.bias.detach() + bias).abs()).max())


def hold_rounded(model: onnx.ModelProto, weights: List[Rounded]) -> None:
    """Replaces rounded weights in a float32 graph by their 8 bits, from which they are computed.

    The nodes have constants only, so ONNX Runtime computes them once, when it loads the graph.
    """
    known = {weight.values().numpy().tobytes(): weight for weight in weights}
    graph = model.graph
    nodes = []
    for tensor in list(graph.initializer):
        weight = known.get(np.ascontiguousarray(onnx.numpy_helper.to_array(tensor)).tobytes())
        if weight is None:
            continue
        graph.initializer.remove(tensor)
        nodes.extend(_expanding(graph, tensor.name, list(tensor.dims), weight))
    for node in reversed(nodes):
        graph.node.insert(0, node)


def declare_products(model: onnx.ModelProto) -> None:
    """States the shapes that ONNX cannot infer, since an operator is none of its own."""
    columns = {tensor.name: tensor.dims[-1] for tensor in model.graph.initializer if tensor.dims}
    for node in model.graph.node:
        if node.domain == _DOMAIN:
            shape = [_DIGITS, columns[node.input[1]]]
            value = onnx.helper.make_tensor_value_info(
                node.output[0], onnx.TensorProto.FLOAT, shape
            )
            model.graph.value_info.append(value)
    inferred = onnx.shape_inference.infer_shapes(model)
    for output, found in zip(model.graph.output, inferred.graph.output):
        output.CopyFrom(found)


def held_rounded(constants: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """What `hold_rounded` replaced, float32 by name.

    :param constants: of such a graph, by name
    """
    found = {}
    for integers_name, integers in constants.items():
        if integers_name.endswith(_INTEGERS):
            name = integers_name[: -len(_INTEGERS)]
            values = integers.astype(np.float32) * constants[f"{name}{_SCALES}"]
            by_tap = values.reshape(constants[f"{name}{_TAPS}"])
            found[name] = by_tap.T.reshape(constants[f"{name}{_SHAPE}"])
    return found


def _expanding(
    graph: onnx.GraphProto, name: str, shape: List[int], weight: Rounded
) -> Iterator[onnx.NodeProto]:
    """Adds the 8 bits of a weight to a graph; the nodes that make float32 `name` of them."""

    def initializer(suffix: str, array: np.ndarray) -> str:
        graph.initializer.append(onnx.numpy_helper.from_array(array, f"{name}{suffix}"))
        return f"{name}{suffix}"

    def node(operator: str, inputs: List[str], output: str, **attributes: Any) -> onnx.NodeProto:
        return onnx.helper.make_node(
            operator, inputs, [output], name=f"{output}.{operator}", **attributes
        )

    integers = initializer(_INTEGERS, weight.integers.numpy())
    yield node("Cast", [integers], f"{name}.float", to=onnx.TensorProto.FLOAT)
    scales = initializer(_SCALES, weight.scales.numpy())
    yield node("Mul", [f"{name}.float", scales], f"{name}.scaled")
    taps = initializer(_TAPS, np.array([weight.taps, -1, len(weight.scales)], np.int64))
    yield node("Reshape", [f"{name}.scaled", taps], f"{name}.by_tap")
    yield node("Transpose", [f"{name}.by_tap"], f"{name}.transposed", perm=[2, 1, 0])
    yield node(
        "Reshape", [f"{name}.transposed", initializer(_SHAPE, np.array(shape, np.int64))], name
    )
