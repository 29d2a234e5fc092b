"""The network as a bundle has it: one frame or a block at a time with caches, and all at once."""

from typing import Dict, Tuple

import torch
from torch import nn

from edgeface.features.fbank import FBANK_PER_FRAME, MEL_BINS

from .network import CONV_PAST, HIDDEN, Network, mix

WHOLE_FRAMES = 256
BLOCK_FRAMES = 64


def padded(x: torch.Tensor) -> torch.Tensor:
    """[B, C, n] with the zeros in front that a causal convolution needs."""
    zeros = torch.zeros(x.shape[0], x.shape[1], CONV_PAST, device=x.device)
    return torch.cat((zeros, x), 2)


class Step(nn.Module):
    """One frame of a `Network`, its past in caches.

    Every operator costs some time beside its arithmetic. So convolutions are products of matrices
    here, nothing has a batch, and a frame waits for its future together with its query.
    """

    frames = 1

    def __init__(self, network: Network, lookahead: int):
        super().__init__()
        self.network = network
        self.lookahead = lookahead
        # flat already, or the graph would do it: TensorRT 8.2 multiplies by constants only
        self.register_buffer("conv1", network.conv1.weight.detach().flatten(1))
        self.register_buffer("conv2", network.conv2.weight.detach().flatten(1))

    def cache_shapes(self) -> Dict[str, Tuple[int, ...]]:
        """Names and shapes of the caches, in the order of `forward`."""
        size = self.network.size
        shapes: Dict[str, Tuple[int, ...]] = {
            "fbank_cache": (MEL_BINS, CONV_PAST),
            "conv_cache": (size.conv, CONV_PAST),
        }
        if self.lookahead:
            shapes["waiting_cache"] = (self.lookahead, 2 * size.width)
        for i in range(size.layers):
            past = size.past + (self.lookahead if i == 0 else 0)
            shapes[f"key_value_cache_{i}"] = (2 * size.heads, past, size.width // size.heads)
        return shapes

    @staticmethod
    def _convolve(x, weight, bias):
        """[channels, 5 or 7] to [1 or 2, outputs]."""
        kernel = CONV_PAST + 2
        stride = 2
        windows = [
            x[:, at : at + kernel].reshape(1, -1)
            for at in range(0, x.shape[1] - kernel + 1, stride)
        ]
        y = nn.functional.linear(torch.cat(windows), weight, bias)
        return nn.functional.glu(y, dim=1)

    def forward(self, fbank: torch.Tensor, *caches: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        """Fbank [1, 4, 80] and the caches to landmarks, blendshapes, speech and new caches."""
        net = self.network
        size = net.size
        left = list(caches)
        new = []
        x = torch.cat((left.pop(0), net.normalise(fbank.reshape(FBANK_PER_FRAME, MEL_BINS)).T), 1)
        new.append(x[:, FBANK_PER_FRAME:])
        x = torch.cat((left.pop(0), self._convolve(x, self.conv1, net.conv1.bias).T), 1)
        new.append(x[:, 2:])
        x = net.project(net.conv_norm(self._convolve(x, self.conv2, net.conv2.bias)))
        for i, layer in enumerate(net.stack):
            attention = layer.attention
            ahead = 0
            q, kv = attention.qkv(layer.attention_norm(x)).split([size.width, 2 * size.width], 1)
            if i == 0 and self.lookahead:
                waiting = torch.cat((left.pop(0), torch.cat((x, q), 1)))
                new.append(waiting[1:])
                x, q = waiting[:1].split(size.width, 1)
                ahead = self.lookahead
            kv = torch.cat((left.pop(0), kv.reshape(2 * size.heads, 1, -1)), 1)
            new.append(kv[:, 1:])
            bias = attention.bias[:, None, : size.past + 1 + ahead]
            queries = q.reshape(size.heads, 1, -1)
            keys, values = kv.split(size.heads)
            mixed = mix(queries, keys, values, bias)
            x = x + attention.out(mixed.reshape(1, size.width))
            x = x + layer.ffn(layer.ffn_norm(x))
        face, shapes, speech = net.motion(x)
        return (face.reshape(1, 68, 3), shapes, torch.sigmoid(speech), *new)


class Block(Step):
    """Many frames of a `Network` at once, with the caches of a step: for sound in files."""

    frames = BLOCK_FRAMES

    def band(self, bias: torch.Tensor) -> torch.Tensor:
        """Biases per offset [heads, w] to [heads, n, n + w - 1], `HIDDEN` elsewhere.

        Row i is row 0 shifted by i: one long row, repeated and cut one shorter.
        """
        heads, seen = bias.shape
        keys = self.frames + seen - 1
        hidden = torch.full((heads, 1), HIDDEN).repeat(1, self.frames)
        row = torch.cat((bias, hidden), 1)  # one longer than keys
        rows = row[:, None, :].repeat(1, self.frames, 1).reshape(heads, -1)
        return rows[:, : self.frames * keys].reshape(heads, self.frames, keys)

    def forward(self, fbank: torch.Tensor, *caches: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        """Fbank [1, 4 n, 80] and the caches to landmarks, blendshapes, speech and new caches."""
        net = self.network
        size = net.size
        n = self.frames
        left = list(caches)
        new = []
        x = torch.cat((left.pop(0), net.normalise(fbank[0]).T), 1)
        new.append(x[:, FBANK_PER_FRAME * n :])
        x = torch.cat((left.pop(0), net.convolve1(x[None])[0]), 1)
        new.append(x[:, 2 * n :])
        x = net.project(net.conv_norm(net.convolve2(x[None])[0].T))
        for i, layer in enumerate(net.stack):
            attention = layer.attention
            ahead = 0
            q, kv = attention.qkv(layer.attention_norm(x)).split([size.width, 2 * size.width], 1)
            if i == 0 and self.lookahead:
                waiting = torch.cat((left.pop(0), torch.cat((x, q), 1)))
                new.append(waiting[n:])
                x, q = waiting[:n].split(size.width, 1)
                ahead = self.lookahead
            kv = kv.reshape(n, 2 * size.heads, -1).transpose(0, 1)
            kv = torch.cat((left.pop(0), kv), 1)
            new.append(kv[:, n:])
            queries = q.reshape(n, size.heads, -1).transpose(0, 1)
            keys, values = kv.split(size.heads)
            bias = self.band(attention.bias[:, : size.past + 1 + ahead])
            mixed = mix(queries, keys, values, bias).transpose(0, 1)
            x = x + attention.out(mixed.reshape(n, size.width))
            x = x + layer.ffn(layer.ffn_norm(x))
        face, shapes, speech = net.motion(x)
        return (face.reshape(n, 68, 3), shapes, torch.sigmoid(speech), *new)


class Whole(nn.Module):
    """Many frames of a `Network` at once, without caches: the check of the stream."""

    def __init__(self, network: Network, lookahead: int):
        super().__init__()
        self.network = network
        self.lookahead = lookahead

    def band(self, bias: torch.Tensor, ahead: int) -> torch.Tensor:
        """Biases per offset [heads, past + 1 + ahead] to [heads, T, T], `HIDDEN` elsewhere.

        Row i is row 0 shifted by i: one long row, repeated and cut one shorter.
        """
        t = WHOLE_FRAMES
        past = self.network.size.past
        heads = bias.shape[0]
        hidden = torch.full((heads, 2 * t - past - 1 - ahead), HIDDEN)
        row = torch.cat((bias[:, past : past + 1 + ahead], hidden, bias[:, :past]), 1)  # length 2 t
        rows = row[:, None, :].repeat(1, t, 1).reshape(heads, t * 2 * t)
        return rows[:, : t * (2 * t - 1)].reshape(heads, t, 2 * t - 1)[:, :, :t]

    def forward(self, fbank: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        """Fbank [1, 4 T, 80] to landmarks [1, T, 68, 3], blendshapes [1, T, 52], speech [1, T]."""
        net = self.network
        size = net.size
        x = net.normalise(fbank).transpose(1, 2)
        x = net.convolve1(padded(x))
        x = net.conv_norm(net.convolve2(padded(x))[0].T)  # no batch: weights as a step's
        x = net.project(x)
        for i, layer in enumerate(net.stack):
            attention = layer.attention
            ahead = self.lookahead if i == 0 else 0
            qkv = attention.qkv(layer.attention_norm(x))
            qkv = qkv.reshape(WHOLE_FRAMES, 3 * size.heads, -1).transpose(0, 1)
            bias = self.band(attention.bias[:, : size.past + 1 + ahead], ahead)
            queries, keys, values = qkv.split(size.heads)
            mixed = mix(queries, keys, values, bias).transpose(0, 1)
            x = x + attention.out(mixed.reshape(WHOLE_FRAMES, size.width))
            x = x + layer.ffn(layer.ffn_norm(x))
        face, shapes, speech = net.motion(x)
        return face.reshape(1, WHOLE_FRAMES, 68, 3), shapes[None], torch.sigmoid(speech)[None]
