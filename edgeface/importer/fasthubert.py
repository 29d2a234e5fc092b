"""FastHuBERT (Yang et al., 2023), as published: Fbank in, one vector for each 40 ms out.

Attention is written as matrix products and a softmax, since torch's own has no form
in ONNX opset 13. Names are those of fairseq's checkpoints.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from .fold import fold_weight_norm

MEL_BINS = 80
_HIDDEN = 1e4  # finite: TensorRT in half precision
# what a checkpoint holds besides the inference network
IGNORED = ("mask_emb", "label_embs_concat", "final_proj.", "feature_extractor.")


class Attention(nn.Module):
    """Multi-head self-attention over [B, T, D]; `bias` [B, T] is added to what keys score."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, nn.Linear(width, width))

    def forward(self, x, bias=None):
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

    def __init__(self, width, inner, heads):
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x, bias=None):
        """[B, T, D] to [B, T, D]."""
        x = self.self_attn_layer_norm(x + self.self_attn(x, bias))
        return self.final_layer_norm(x + self.fc2(functional.gelu(self.fc1(x))))


class FastHubert(nn.Module):
    """The network; the defaults are the published base size, 93.2 M parameters."""

    def __init__(
        self,
        width=768,
        inner=3072,
        layers=12,
        heads=12,
        conv=512,
        fbank=512,
        positions=128,
        groups=16,
    ):
        super().__init__()
        self.subsample, self.encoder = nn.Module(), nn.Module()
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

    def forward(self, fbank, lengths=None):
        """Normalised Fbank [B, T, 80] to [B, ceil(T / 4), width].

        :param lengths: int [B], frames of each that count; None: all
        """
        x = fbank.transpose(1, 2)
        for layer in self.subsample.conv_layers:
            x = functional.glu(layer(x), 1)
        x, heard = self.project(x), None
        if lengths is not None:
            # upstream divides by a rounded factor instead, and masks too little where T is no multiple of 4
            heard = (
                torch.arange(x.shape[1])[None]
                < torch.div(lengths + 3, 4, rounding_mode="floor")[:, None]
            )
        return self.encode(x, heard)

    def project(self, x):
        """[B, C, T] of the convolutions to [B, T, width]."""
        return self.post_extract_proj(self.layer_norm(x.transpose(1, 2)))

    def encode(self, x, heard=None):
        """[B, T, width] to the same; `heard` [B, T] is 1 where there is sound, or None."""
        bias = None
        if heard is not None:
            x = x * heard[..., None]
            bias = (heard.to(x.dtype) - 1.0) * _HIDDEN
        position = self.encoder.pos_conv(x.transpose(1, 2))[..., :-1]
        x = self.encoder.layer_norm(x + functional.gelu(position).transpose(1, 2))
        for layer in self.encoder.layers:
            x = layer(x, bias)
        return x


def load_fasthubert(state, heads=None):
    """A `FastHubert` in eval mode with the weights of a state dict, whose sizes are read from it.

    :param heads: attention heads; 64 channels each by default
    :raises KeyError: weights are missing
    :raises ValueError: weights are superfluous, or their shapes do not fit
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


def fill(model, state):
    """Loads a state dict that must fit exactly; the model, in eval mode. Errors as `load_fasthubert`."""
    wanted = model.state_dict()
    missing = sorted(set(wanted) - set(state))
    if missing:
        raise KeyError(", ".join(missing[:5]))
    superfluous = sorted(set(state) - set(wanted))
    if superfluous:
        raise ValueError(f"superfluous: {', '.join(superfluous[:5])}")
    for name, value in wanted.items():
        if value.shape != state[name].shape:
            raise ValueError(f"{name}: {tuple(state[name].shape)} instead of {tuple(value.shape)}")
        if not math.isfinite(float(state[name].double().abs().sum())):
            raise ValueError(f"{name}: holds values that are no numbers")
    model.load_state_dict(state)
    return model.eval()
