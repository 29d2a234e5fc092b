"""FastHuBERT (Yang et al., 2023), as published: Fbank in, one vector for each 40 ms out.

Attention is written as matrix products and a softmax, since torch's own has no form in ONNX opset
13. Names are those of fairseq's checkpoints.
"""

import math
from typing import Any, Dict, Optional, TypeVar

import torch
from torch import nn
from torch.nn import functional

from ..features.fbank import MEL_BINS
from .fold import fold_weight_norm

Module = TypeVar("Module", bound=nn.Module)
_HIDDEN = 1e4  # finite: TensorRT in half precision
# what a checkpoint holds besides the inference network
IGNORED = ("mask_emb", "label_embs_concat", "final_proj.", "feature_extractor.")


class Attention(nn.Module):
    """Multi-head self-attention over [B, T, D]; `bias` [B, T] is added to what keys score."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, bias: Optional[torch.Tensor] = None) -> torch.Tensor:
        """[B, T, D] to [B, T, D]."""
        batch, time, width = x.shape
        size = width // self.heads
        q, k, v = (
            layer(x).reshape(batch, time, self.heads, size).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        scores = (q * size**-0.5) @ k.transpose(2, 3)
        if bias is not None:
            scores = scores + bias[:, None, None]
        mixed = torch.softmax(scores, -1) @ v
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, time, width))


class Layer(nn.Module):
    """Transformer layer, normalised after each half."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, bias: Optional[torch.Tensor] = None) -> torch.Tensor:
        """[B, T, D] to [B, T, D]."""
        x = self.self_attn_layer_norm(x + self.self_attn(x, bias))
        return self.final_layer_norm(x + self.fc2(functional.gelu(self.fc1(x))))


class FastHubert(nn.Module):
    """The network; the defaults are the published base size, 93.2 M parameters."""

    subsample: Any  # containers
    encoder: Any

    def __init__(
        self,
        width: int = 768,
        inner: int = 3072,
        layers: int = 12,
        heads: int = 12,
        conv: int = 512,
        fbank: int = 512,
        positions: int = 128,
        groups: int = 16,
    ) -> None:
        super().__init__()
        self.width = width
        self.subsample = nn.Module()
        self.encoder = nn.Module()
        self.subsample.conv_layers = nn.ModuleList(
            [nn.Conv1d(MEL_BINS, 2 * conv, 5, 2, 2), nn.Conv1d(conv, 2 * fbank, 5, 2, 2)]
        )
        self.layer_norm = nn.LayerNorm(fbank)
        self.post_extract_proj = nn.Linear(fbank, width)
        self.encoder.pos_conv = nn.Sequential(
            nn.Conv1d(width, width, positions, padding=positions // 2, groups=groups)
        )
        self.encoder.layer_norm = nn.LayerNorm(width)
        self.encoder.layers = nn.ModuleList([Layer(width, inner, heads) for _ in range(layers)])

    def forward(self, fbank: torch.Tensor, lengths: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Normalised Fbank [B, T, 80] to [B, ceil(T / 4), width].

        :param lengths: int [B], frames of each that count; None: all
        """
        x = fbank.transpose(1, 2)
        for layer in self.subsample.conv_layers:
            x = functional.glu(layer(x), 1)
        x = self.project(x)
        mask = None
        if lengths is not None:
            # upstream divides by a rounded factor instead, and masks too little where T is no
            # multiple of 4
            counts = torch.div(lengths + 3, 4, rounding_mode="floor")
            mask = torch.arange(x.shape[1])[None] < counts[:, None]
        return self.encode(x, mask)

    def project(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, T] of the convolutions to [B, T, width]."""
        return self.post_extract_proj(self.layer_norm(x.transpose(1, 2)))

    def encode(self, x: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """[B, T, width] to the same.

        :param mask: [B, T], 1 where there is sound; None: everywhere
        """
        bias = None
        if mask is not None:
            x = x * mask[..., None]
            bias = (mask.to(x.dtype) - 1.0) * _HIDDEN
        position = self.encoder.pos_conv(x.transpose(1, 2))[..., :-1]
        x = self.encoder.layer_norm(x + functional.gelu(position).transpose(1, 2))
        for layer in self.encoder.layers:
            x = layer(x, bias)
        return x


def load_fasthubert(state: Dict[str, torch.Tensor], heads: Optional[int] = None) -> FastHubert:
    """The network in eval mode with the weights of a state dict, from which its sizes are read.

    :param heads: attention heads; 64 channels each by default
    :raises KeyError: weights are missing
    :raises ValueError: there are unexpected weights, or their shapes do not fit
    """
    state = {name: value.float() for name, value in state.items() if not name.startswith(IGNORED)}
    state = fold_weight_norm(state, ["encoder.pos_conv.0"])
    width, fbank = state["post_extract_proj.weight"].shape
    layers = 1 + max(
        int(name.split(".")[2]) for name in state if name.startswith("encoder.layers.")
    )
    kernel = state["encoder.pos_conv.0.weight"]
    model = FastHubert(
        width,
        state["encoder.layers.0.fc1.weight"].shape[0],
        layers,
        heads or max(1, width // 64),
        state["subsample.conv_layers.1.weight"].shape[1],
        fbank,
        kernel.shape[2],
        width // kernel.shape[1],
    )
    return fill(model, state)


def fill(model: Module, state: Dict[str, torch.Tensor]) -> Module:
    """The model in eval mode with a state dict that fits exactly; errors as `load_fasthubert`."""
    wanted = model.state_dict()
    missing = sorted(set(wanted) - set(state))
    if missing:
        raise KeyError(", ".join(missing[:5]))
    unexpected = sorted(set(state) - set(wanted))
    if unexpected:
        raise ValueError(f"unexpected: {', '.join(unexpected[:5])}")
    for name, value in wanted.items():
        if value.shape != state[name].shape:
            raise ValueError(f"{name}: {tuple(state[name].shape)} instead of {tuple(value.shape)}")
        if not math.isfinite(float(state[name].double().abs().sum())):
            raise ValueError(f"{name}: holds values that are no numbers")
    model.load_state_dict(state)
    return model.eval()
