"""The streaming FastHuBERT with its motion head, in PyTorch.

FastHuBERT's front end (two strided convolutions with gated linear units that
take 100 Hz Fbank to 25 Hz) is made causal, its Transformer sees `past` frames
back, and its first layer alone sees `lookahead` frames ahead; so the algorithmic
latency is lookahead x 40 ms, and one set of weights serves every look-ahead.
"""

from dataclasses import asdict, dataclass
from typing import Dict, List, Optional, Tuple, cast

import torch
from torch import nn

from edgeface.features.fbank import MEL_BINS, SILENCE
from edgeface.motion.face import BLENDSHAPES
from training.targets.landmark_basis import BASIS_SIZE, COORDINATES

MAX_LOOKAHEAD = 4  # frames of 40 ms
CONV_PAST = 3  # inputs that each convolution remembers: kernel 5, stride 2
HIDDEN = -1e4  # of an attention bias
_EXPRESSIONLESS = ("eye", "tongue")  # cannot be heard, and stay exactly at 0


@dataclass(frozen=True)
class Size:
    """Width and depth of the network."""

    conv: int = 160
    width: int = 192
    heads: int = 4
    ffn: int = 1024
    layers: int = 4
    past: int = 25
    basis: int = BASIS_SIZE
    blendshapes: int = 52

    def as_dict(self) -> Dict[str, int]:
        """Plain dictionary for a checkpoint."""
        return asdict(self)


def mix(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """Softmax attention.

    :param queries: [..., heads, n, d]
    :param keys: [..., heads, m, d], like `values`
    :param bias: broadcasts over [..., heads, n, m], `HIDDEN` where nothing is seen
    :return: [..., heads, n, d]
    """
    scale = queries.shape[-1] ** -0.5
    return torch.softmax((queries * scale) @ keys.transpose(-1, -2) + bias, -1) @ values


class Attention(nn.Module):
    """Multi-head attention with a learned bias per relative position."""

    def __init__(self, size: Size, ahead: int):
        super().__init__()
        self.size = size
        self.ahead = ahead
        self.qkv = nn.Linear(size.width, 3 * size.width)
        self.out = nn.Linear(size.width, size.width)
        # index = key time - query time + past
        self.bias = nn.Parameter(torch.zeros(size.heads, size.past + 1 + ahead))

    def forward(self, x: torch.Tensor, silence: torch.Tensor, lookahead: int) -> torch.Tensor:
        """Whole sequence [B, T, width], each frame seeing past..+lookahead frames.

        :param silence: [width], every frame before the sequence
        """
        batch, t, width = x.shape
        past = self.size.past
        offset = torch.arange(past + t, device=x.device) - past
        offset = offset[None, :] - offset[past:, None]
        seen = (offset >= -past) & (offset <= lookahead)
        index = (offset + past).clamp(0, past + self.ahead)
        bias = torch.where(seen, self.bias[:, index], torch.full((), HIDDEN))
        before = self.qkv(silence).expand(batch, past, 3 * width)
        qkv = torch.cat((before, self.qkv(x)), 1)
        qkv = qkv.reshape(batch, past + t, 3 * self.size.heads, -1).transpose(1, 2)
        queries, keys, values = qkv.split(self.size.heads, 1)
        mixed = mix(queries[:, :, past:], keys, values, bias)
        return self.out(mixed.transpose(1, 2).reshape(batch, t, width))

    def of_silence(self, silence: torch.Tensor) -> torch.Tensor:
        """What any frame gives, [width], amid frames that are all `silence`: their mean is one."""
        return self.out(self.qkv(silence)[..., 2 * self.size.width :])


class Layer(nn.Module):
    """Pre-norm Transformer layer."""

    def __init__(self, size: Size, ahead: int):
        super().__init__()
        self.attention_norm = nn.LayerNorm(size.width)
        self.attention = Attention(size, ahead)
        self.ffn_norm = nn.LayerNorm(size.width)
        # no dropout: so small a network never learns so much noisy speech by heart
        self.ffn = nn.Sequential(
            nn.Linear(size.width, size.ffn), nn.GELU(), nn.Linear(size.ffn, size.width)
        )

    def forward(
        self, x: torch.Tensor, silence: torch.Tensor, lookahead: int
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Whole sequence [B, T, width] and the silence [width] before it, to both behind it."""
        before = self.attention_norm(silence)
        x = x + self.attention(self.attention_norm(x), before, lookahead)
        silence = silence + self.attention.of_silence(before)
        return x + self.ffn(self.ffn_norm(x)), silence + self.ffn(self.ffn_norm(silence))


class Network(nn.Module):
    """Fbank to motion.

    :param statistics: `mean`, `std` [80] of the Fbank; `landmark_mean` [204] and `landmark_basis`
        [basis, 204] of the face
    """

    mean: torch.Tensor
    std: torch.Tensor
    landmark_mean: torch.Tensor
    landmark_basis: torch.Tensor
    heard: torch.Tensor

    def __init__(self, size: Size, statistics: Optional[dict] = None):
        super().__init__()
        self.size = size
        shapes = {
            "mean": (MEL_BINS,),
            "std": (MEL_BINS,),
            "landmark_mean": (COORDINATES,),
            "landmark_basis": (size.basis, COORDINATES),
        }
        for name, shape in shapes.items():
            value = torch.ones(shape) if statistics is None else torch.as_tensor(statistics[name])
            self.register_buffer(name, value.float().clone())
        heard = [not name.startswith(_EXPRESSIONLESS) for name in BLENDSHAPES]
        self.register_buffer("heard", torch.tensor(heard, dtype=torch.float32), persistent=False)
        self.conv1 = nn.Conv1d(MEL_BINS, 2 * size.conv, 5, stride=2)
        self.conv2 = nn.Conv1d(size.conv, 2 * size.conv, 5, stride=2)
        self.conv_norm = nn.LayerNorm(size.conv)
        self.project = nn.Linear(size.conv, size.width)
        self.layers = nn.ModuleList(
            [Layer(size, MAX_LOOKAHEAD if i == 0 else 0) for i in range(size.layers)]
        )
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Sequential(
            nn.Linear(size.width, size.width),
            nn.GELU(),
            nn.Linear(size.width, size.basis + size.blendshapes + 1),
        )

    @property
    def stack(self) -> List[Layer]:
        """Its Transformer layers."""
        return [cast(Layer, layer) for layer in self.layers]

    def normalise(self, fbank: torch.Tensor) -> torch.Tensor:
        """[B, T4, 80] log energies to zero mean and unit variance."""
        return (fbank - self.mean) / self.std

    def convolve1(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 80, n] to [B, conv, (n - 5) / 2 + 1]."""
        return nn.functional.glu(self.conv1(x), dim=1)

    def convolve2(self, x: torch.Tensor) -> torch.Tensor:
        """[B, conv, n] to [B, conv, (n - 5) / 2 + 1]."""
        return nn.functional.glu(self.conv2(x), dim=1)

    def motion(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What a face does.

        :param x: of `encode`, [B, T, width]
        :return: landmarks [B, T, 204], blendshapes [B, T, 52] in 0..1, speech logit [B, T]
        """
        parts = [self.size.basis, self.size.blendshapes, 1]
        z, blendshapes, speech = self.head(self.norm(x)).split(parts, -1)
        landmarks = z @ self.landmark_basis + self.landmark_mean
        return landmarks, torch.sigmoid(blendshapes) * self.heard, speech[..., 0]

    def encode(self, fbank: torch.Tensor, lookahead: int) -> torch.Tensor:
        """Whole sequence, after digital silence: Fbank [B, 4 T, 80] to [B, T, width].

        As a stream begins. Frame t uses the Fbank frames up to 4 (t + lookahead) + 3.
        """
        rest = torch.full((1, CONV_PAST + 2, MEL_BINS), SILENCE, device=fbank.device)
        x = self.normalise(fbank).transpose(1, 2)
        silence = self.normalise(rest).transpose(1, 2)
        for convolve in (self.convolve1, self.convolve2):
            x = convolve(torch.cat((silence[..., :CONV_PAST].expand(len(x), -1, -1), x), 2))
            silence = convolve(silence).expand(-1, -1, CONV_PAST + 2)
        x = self.project(self.conv_norm(x.transpose(1, 2)))
        silence = self.project(self.conv_norm(silence[0, :, 0]))
        # frames of silence that look ahead into the sequence
        x = torch.cat((silence.expand(len(x), lookahead, -1), x), 1)
        for i, layer in enumerate(self.stack):
            x, silence = layer(x, silence, lookahead if i == 0 else 0)
        return x[:, lookahead:]

    def forward(
        self, fbank: torch.Tensor, lookahead: int
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Whole sequence: what `encode` takes to what `motion` gives."""
        return self.motion(self.encode(fbank, lookahead))
