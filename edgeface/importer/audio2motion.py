"""The audio-to-motion network of GeneFace and GeneFace++ (Ye et al., 2023), inference only.

All variants; names are those of the checkpoints. Motion has 25 frames a second, its input 50.
"""

from typing import Any, Dict, Optional, Union

import torch
from torch import nn
from torch.nn import functional

from ..model.window import LATENT
from .fasthubert import fill
from .fold import fold_weight_norm

_HALF = LATENT // 2
IGNORED = ("vae.encoder.",)  # training only

Mask = Union[float, torch.Tensor]


class WaveNet(nn.Module):
    """Gated convolutions with residual and skip connections (van den Oord et al., 2016).

    :param condition: channels of what they are conditioned on
    """

    def __init__(self, width: int, kernel: int, layers: int, condition: int) -> None:
        super().__init__()
        self.width = width
        self.in_layers = nn.ModuleList(
            nn.Conv1d(width, 2 * width, kernel, padding=kernel // 2) for _ in range(layers)
        )
        outputs = [2 * width] * (layers - 1) + [width]  # the last one has no residual
        self.res_skip_layers = nn.ModuleList(nn.Conv1d(width, count, 1) for count in outputs)
        self.cond_layer = nn.Conv1d(condition, 2 * width * layers, 1)

    def forward(self, x: torch.Tensor, condition: torch.Tensor, mask: Mask = 1.0) -> torch.Tensor:
        """[B, width, T] to the same.

        :param condition: [B, C, T]
        :param mask: [1, 1, T], 0 where there is no sound
        """
        conditions = self.cond_layer(condition).split(2 * self.width, 1)
        output = torch.zeros_like(x)
        for i, (inner, outer) in enumerate(zip(self.in_layers, self.res_skip_layers)):
            filtered, gate = (inner(x * mask) + conditions[i]).split(self.width, 1)
            both = outer(torch.tanh(filtered) * torch.sigmoid(gate))
            if i < len(self.in_layers) - 1:
                residual, skip = both.split(self.width, 1)
                x = x + residual
            else:
                skip = both
            output = output + skip
        return output


class Coupling(nn.Module):
    """Mean-only affine coupling (Dinh et al., 2017), run backwards."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.pre = nn.Conv1d(_HALF, width, 1)
        self.post = nn.Conv1d(width, _HALF, 1)
        self.enc = WaveNet(width, 3, 4, condition)

    def forward(self, z: torch.Tensor, condition: torch.Tensor, mask: Mask = 1.0) -> torch.Tensor:
        """[B, 16, T] to [B, 16, T]."""
        # not flip, which becomes a negative step
        z = torch.cat([z[:, i : i + 1] for i in reversed(range(LATENT))], 1)
        first = z[:, :_HALF]
        mean = self.post(self.enc(self.pre(first), condition, mask))
        return torch.cat((first, z[:, _HALF:] - mean), 1)


def _encoder(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, width, 3, padding=1, bias=False),
        nn.BatchNorm1d(width),
        nn.GELU(),
        nn.Conv1d(width, outputs, 3, padding=1, bias=False),
    )


class Audio2Motion(nn.Module):
    """The network; `load_audio2motion` reads from a checkpoint which parts it has.

    :param audio: values of a frame of the features
    :param width: of the condition, `hidden` of the decoder, `glow` of the flow
    :param outputs: values of a frame of motion
    :param pitch: channels of the pitch, 0 for none; `pitch_width` of its embedding
    :param projected: whether all conditions are projected to `width`
    :param mouth: whether the amplitude of the mouth is a condition; `eye` likewise
    :param blink: whether blinks are one
    """

    vae: Any  # a container

    def __init__(
        self,
        audio: int,
        width: int,
        outputs: int,
        hidden: int = 256,
        glow: int = 64,
        pitch: int = 0,
        pitch_width: int = 128,
        projected: bool = False,
        mouth: bool = False,
        eye: bool = False,
        blink: bool = False,
    ) -> None:
        super().__init__()
        self.audio = audio
        self.outputs = outputs
        self.mel_encoder = _encoder(audio, width, width)
        condition = width
        if pitch:
            self.pitch_embed = nn.Embedding(300, pitch_width)
            self.pitch_encoder = _encoder(pitch_width, pitch_width, pitch)
            condition += pitch
        if blink:
            self.blink_embed = nn.Embedding(2, width)
        if mouth:
            self.mouth_amp_embed = nn.Parameter(torch.zeros(width))
        if eye:
            self.eye_amp_embed = nn.Parameter(torch.zeros(width))
        if projected:
            self.cond_proj = nn.Linear(width * (3 + mouth + eye), width)
            condition = width
        # GeneFace++ without pitch takes the mean of two audio frames, all others every second one
        self.averages = blink and not pitch
        self.vae = nn.Module()
        self.vae.g_pre_net = nn.Sequential(nn.Conv1d(condition, condition, 8, 4, 2))
        self.vae.prior_flow = nn.Module()
        self.vae.decoder = nn.Module()
        self.vae.prior_flow.flows = nn.ModuleDict(
            {str(i): Coupling(glow, condition) for i in (0, 2, 4, 6)}
        )
        self.vae.decoder.pre_net = nn.Sequential(nn.ConvTranspose1d(LATENT, hidden, 4, 4))
        self.vae.decoder.wn = WaveNet(hidden, 5, 4, condition)
        self.vae.decoder.out_proj = nn.Conv1d(hidden, outputs, 1)

    def forward(
        self,
        audio: torch.Tensor,
        f0_bins: torch.Tensor,
        blink: torch.Tensor,
        z: torch.Tensor,
        mouth_amp: Optional[torch.Tensor] = None,
        eye_amp: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """Motion [B, T / 2, outputs].

        :param audio: features at 50 Hz, [B, T, C], T a multiple of 8
        :param f0_bins: `model.window.pitch_bins` at 50 Hz, int64 [B, T]; made on the host, since
            TensorRT 8.2 has no NonZero
        :param blink: 0 or 1 at 50 Hz, int64 [B, T]
        :param z: noise times temperature, [B, 16, T / 8]
        :param mouth_amp: how far the mouth opens, [B, 1]; 0.4 upstream
        :param eye_amp: likewise; 1.0 upstream
        """
        audio = audio.transpose(1, 2)
        audio = functional.avg_pool1d(audio, 2) if self.averages else audio[..., ::2]
        g = self.condition(audio, f0_bins[:, ::2], blink[:, ::2], mouth_amp, eye_amp)
        return self.generate(g, z)

    def generate(
        self, g: torch.Tensor, z: torch.Tensor, mask: Mask = 1.0, latent_mask: Mask = 1.0
    ) -> torch.Tensor:
        """Motion [B, T, outputs].

        :param g: conditions, [B, F, T]
        :param z: noise times temperature, [B, 16, T / 4]
        :param mask: [1, 1, T], 0 where there is no sound; `latent_mask` [1, 1, T / 4] likewise
        """
        squeezed = self.vae.g_pre_net(g)
        for i in ("6", "4", "2", "0"):
            z = self.vae.prior_flow.flows[i](z, squeezed, latent_mask)
        x = self.vae.decoder.wn(self.vae.decoder.pre_net(z), g, mask)
        return self.vae.decoder.out_proj(x).transpose(1, 2)

    def condition(
        self,
        audio: torch.Tensor,
        f0_bins: torch.Tensor,
        blink: torch.Tensor,
        mouth_amp: Optional[torch.Tensor] = None,
        eye_amp: Optional[torch.Tensor] = None,
        mask: Mask = 1.0,
    ) -> torch.Tensor:
        """Conditions of generator and flow, [B, F, T]; audio [B, C, T] and the others at 25 Hz."""

        def encoded(encoder: nn.Sequential, x: torch.Tensor) -> torch.Tensor:
            first, norm, activation, second = encoder
            return second(activation(norm(first(x * mask))) * mask)

        parts = [encoded(self.mel_encoder, audio)]
        if hasattr(self, "pitch_embed"):
            parts.append(encoded(self.pitch_encoder, self.pitch_embed(f0_bins).transpose(1, 2)))
        if not hasattr(self, "cond_proj"):
            return torch.cat(parts, 1) * mask
        parts.append(self.blink_embed(blink).transpose(1, 2))
        for name, amplitude in (("mouth_amp_embed", mouth_amp), ("eye_amp_embed", eye_amp)):
            if hasattr(self, name):
                # added to zeros, not expanded, for which ONNX needs five operators
                parts.append(
                    (amplitude * getattr(self, name)[None])[..., None] + torch.zeros_like(parts[0])
                )
        return self.cond_proj(torch.cat(parts, 1).transpose(1, 2)).transpose(1, 2) * mask


def load_audio2motion(state: Dict[str, torch.Tensor]) -> Audio2Motion:
    """The network in eval mode with the weights of a state dict, whose keys tell the variant.

    :raises KeyError: weights are missing
    :raises ValueError: there are unexpected weights, or their shapes do not fit
    """
    state = {
        name: value.float() if value.is_floating_point() else value
        for name, value in state.items()
        if not name.startswith(IGNORED)
    }
    state = fold_weight_norm(state, ["vae.decoder.wn.cond_layer"])
    width, audio, _ = state["mel_encoder.0.weight"].shape
    pitch = state["pitch_encoder.3.weight"].shape[0] if "pitch_embed.weight" in state else 0
    model = Audio2Motion(
        audio,
        width,
        state["vae.decoder.out_proj.weight"].shape[0],
        hidden=state["vae.decoder.pre_net.0.weight"].shape[1],
        glow=state["vae.prior_flow.flows.0.pre.weight"].shape[0],
        pitch=pitch,
        pitch_width=state["pitch_embed.weight"].shape[1] if pitch else 0,
        projected="cond_proj.weight" in state,
        mouth="mouth_amp_embed" in state,
        eye="eye_amp_embed" in state,
        blink="blink_embed.weight" in state,
    )
    return fill(model, state)
