"""A step of the network for a CPU that does something else between two frames.

Then no cache holds the weights any more, and every operator is slow the first time: so the large
weights have 8 bits, and there are few operators. Time comes first in all caches: what is oldest
lies in front, the graph returns it, too, and whoever runs it leaves it out.
"""

from typing import Dict, Tuple

import torch
from torch import nn

from edgeface.features.fbank import MEL_BINS

from .network import CONV_PAST, Network
from .rounding import Rounded, RoundedLinear, most_after, most_of_norm

_KERNEL = CONV_PAST + 2
_QUIETEST = 16.0  # minus a Fbank value at least; the floor is -15.94
_LOUDEST = 40.0  # a Fbank value at most; int16 stays below 36


class CpuStep(nn.Module):
    """One frame of a `Network`, its past in caches, of which each `new_` one is longer in front.

    :param network: one whose weights are rounded
    :param rounded: those weights by name
    """

    frames = 1

    def __init__(self, network: Network, rounded: Dict[str, Rounded], lookahead: int):
        super().__init__()
        self.network = network
        self.lookahead = lookahead
        size = network.size
        # normalisation is part of the first convolution
        weight = network.conv1.weight.detach() / network.std[:, None]
        bias = network.conv1.bias.detach() - (weight * network.mean[:, None]).sum((1, 2))
        self.register_buffer("conv1", weight.transpose(1, 2).flatten(1).contiguous())
        self.register_buffer("conv1_bias", bias)
        first = torch.arange(_KERNEL)
        self.register_buffer("windows", torch.cat((first, first + 2)))
        self.conv2 = RoundedLinear(
            rounded["conv2.weight"], network.conv2.bias, self._most_of_conv1(weight, bias)
        )
        self.qkv = nn.ModuleList()
        self.ffn_in = nn.ModuleList()
        self.ffn_out = nn.ModuleList()
        for i, layer in enumerate(network.stack):
            attention_norm, ffn_norm = layer.attention_norm, layer.ffn_norm
            parts = (
                (self.qkv, "attention.qkv", layer.attention.qkv, most_of_norm(attention_norm)),
                (self.ffn_in, "ffn.0", layer.ffn[0], most_of_norm(ffn_norm)),
                # a GELU never exceeds its argument
                (self.ffn_out, "ffn.2", layer.ffn[2], most_after(ffn_norm, layer.ffn[0])),
            )
            for modules, name, linear, most in parts:
                weight_8 = rounded[f"layers.{i}.{name}.weight"]
                modules.append(RoundedLinear(weight_8, linear.bias, most))
            seen = size.past + 1 + (lookahead if i == 0 else 0)
            self.register_buffer(f"bias_{i}", layer.attention.bias.detach()[:, :seen].contiguous())
            out = layer.attention.out.bias.detach() / size.heads  # which every head adds
            self.register_buffer(f"out_bias_{i}", out)
        heads = torch.eye(size.heads).repeat_interleave(size.width // size.heads, 1)
        self.register_buffer("heads", heads)  # 1 where a column belongs to a head
        self.register_buffer("query_heads", heads * (size.width // size.heads) ** -0.5)
        self.register_buffer("sum_of_heads", torch.ones(1, size.heads))

    @staticmethod
    def _most_of_conv1(weight: torch.Tensor, bias: torch.Tensor) -> float:
        """What no |output| of the first convolution exceeds; a gate only makes it smaller."""
        up = weight.clamp(min=0).sum((1, 2))
        down = -weight.clamp(max=0).sum((1, 2))
        most = torch.maximum(
            _LOUDEST * up + _QUIETEST * down + bias, _LOUDEST * down + _QUIETEST * up - bias
        )
        return float(most[: len(most) // 2].max())  # the other half are gates

    def cache_shapes(self) -> Dict[str, Tuple[int, ...]]:
        """Names and shapes of the caches, in the order of `forward`."""
        size = self.network.size
        shapes: Dict[str, Tuple[int, ...]] = {
            "fbank_cache": (1, CONV_PAST, MEL_BINS),
            "conv_cache": (CONV_PAST, size.conv),
        }
        if self.lookahead:
            shapes["waiting_cache"] = (1, self.lookahead * 2 * size.width)
        for i in range(size.layers):
            past = size.past + (self.lookahead if i == 0 else 0)
            shapes[f"key_value_cache_{i}"] = (past, 2 * size.width)
        return shapes

    def forward(self, fbank: torch.Tensor, *caches: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        """Fbank [1, 4, 80] and the caches to landmarks, blendshapes, speech and new caches."""
        net = self.network
        width = net.size.width
        glu = nn.functional.glu
        linear = nn.functional.linear
        left = list(caches)
        x = torch.cat((left.pop(0), fbank), 1)
        new = [x]
        x = x.index_select(1, self.windows).reshape(2, _KERNEL * MEL_BINS)
        x = torch.cat((left.pop(0), glu(linear(x, self.conv1, self.conv1_bias), 1)))
        new.append(x)
        x = net.project(net.conv_norm(glu(self.conv2(x.reshape(1, -1)), 1)))
        for i, layer in enumerate(net.stack):
            q, kv = self.qkv[i](layer.attention_norm(x)).split([width, 2 * width], 1)
            if i == 0 and self.lookahead:
                waiting = torch.cat((left.pop(0), x, q), 1)
                new.append(waiting)
                x, q, _ = waiting.split([width, width, 2 * width * self.lookahead], 1)
            kv = torch.cat((left.pop(0), kv))
            new.append(kv)
            keys, values = kv.split(width, 1)
            # a row for each head, zero where other heads are: one product for all of them
            scores = torch.addmm(getattr(self, f"bias_{i}"), q * self.query_heads, keys.T)
            mixed = (torch.softmax(scores, 1) @ values) * self.heads
            mixed = linear(mixed, layer.attention.out.weight, getattr(self, f"out_bias_{i}"))
            x = torch.addmm(x, self.sum_of_heads, mixed)
            x = self.ffn_out[i](nn.functional.gelu(self.ffn_in[i](layer.ffn_norm(x))), x)
        face, shapes, speech = net.motion(x)
        return (face.reshape(1, 68, 3), shapes, torch.sigmoid(speech), *new)
