"""The original networks as graphs of fixed length, of which only a part needs to be sound.

What lies beyond the end has no influence, exactly as if the input ended there. Upstream's masks
begin after the convolutions; these begin before them.
"""

from abc import abstractmethod
from typing import List, Tuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..features.fbank import FBANK_PER_FRAME, MEL_BINS
from ..model.window import FRAMES_PER_LATENT, LATENT
from .audio2motion import Audio2Motion
from .fasthubert import FastHubert


class FixedGraph(nn.Module):
    """A network over `frames` face frames, a number that becomes a constant of the graph."""

    frames = 0

    INPUTS: List[str]
    OUTPUTS: List[str]

    @abstractmethod
    def example(self, frames: int) -> Tuple[torch.Tensor, ...]:
        """Inputs of that length."""


class EncoderGraph(FixedGraph):
    """Fbank as it comes, [1, 4 T, 80], of which `rows` [1] count, to features [1, T, C].

    :param mean: of Fbank, float32 [80]
    :param std: its standard deviation, float32 [80]
    """

    INPUTS = ["fbank", "rows"]
    OUTPUTS = ["features"]

    def __init__(self, model: FastHubert, mean: np.ndarray, std: np.ndarray) -> None:
        super().__init__()
        self.model = model
        self.mean: torch.Tensor
        self.std: torch.Tensor
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("std", torch.from_numpy(std))

    def example(self, frames: int) -> Tuple[torch.Tensor, ...]:
        """Inputs of that length."""
        rows = FBANK_PER_FRAME * frames
        return torch.zeros(1, rows, MEL_BINS), torch.full((1,), float(rows))

    def forward(self, fbank: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See the class."""
        count = FBANK_PER_FRAME * self.frames
        x = ((fbank - self.mean) / self.std).transpose(1, 2) * _mask(count, rows, 1)
        for i, layer in enumerate(self.model.subsample.conv_layers):
            x = functional.glu(layer(x), 1) * _mask(count >> (i + 1), rows, 2 << i)
        mask = _mask(self.frames, rows, FBANK_PER_FRAME)[None]
        return self.model.encode(self.model.project(x), mask) * mask[..., None]

    def plain(self, fbank: torch.Tensor) -> torch.Tensor:
        """Features of all rows without any mask: what the graph is compared with."""
        return self.model((fbank - self.mean) / self.std)


class MotionGraph(FixedGraph):
    """Features [1, T, C], F0 bins [1, T] and noise [1, 16, T / 4] to landmarks [1, T, 68, 3].

    The noise is multiplied by the temperature already. Of the T frames `frames` [1], a multiple of
    4, count.

    :param matrix: what makes landmarks of the network's motion, float32 [outputs, 204]
    :param offset: what is added to them, float32 [204]
    :param mouth_amp: how far the mouth opens, for networks that ask for it
    """

    INPUTS = ["features", "f0_bins", "z", "frames"]
    OUTPUTS = ["landmarks"]

    def __init__(
        self, model: Audio2Motion, matrix: np.ndarray, offset: np.ndarray, mouth_amp: float
    ) -> None:
        super().__init__()
        self.model = model
        self.matrix: torch.Tensor
        self.offset: torch.Tensor
        self.mouth_amp: torch.Tensor
        self.register_buffer("matrix", torch.from_numpy(matrix))
        self.register_buffer("offset", torch.from_numpy(offset))
        self.register_buffer("mouth_amp", torch.full((1, 1), float(mouth_amp)))

    def example(self, frames: int) -> Tuple[torch.Tensor, ...]:
        """Inputs of that length."""
        return (
            torch.zeros(1, frames, self.model.audio),
            torch.ones(1, frames, dtype=torch.int64),
            torch.zeros(1, LATENT, frames // FRAMES_PER_LATENT),
            torch.full((1,), float(frames)),
        )

    def forward(
        self,
        features: torch.Tensor,
        f0_bins: torch.Tensor,
        z: torch.Tensor,
        frames: torch.Tensor,
    ) -> torch.Tensor:
        """See the class."""
        mask = _mask(self.frames, frames, 1)[None, None]
        latents = self.frames // FRAMES_PER_LATENT
        latent_mask = _mask(latents, frames, FRAMES_PER_LATENT)[None, None]
        g = self.model.condition(
            features.transpose(1, 2),
            f0_bins,
            torch.zeros_like(f0_bins),
            self.mouth_amp,
            torch.ones(1, 1),
            mask,
        )
        return self._landmarks(self.model.generate(g, z, mask, latent_mask), self.frames)

    def plain(self, features: torch.Tensor, f0_bins: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Landmarks of all frames without any mask: what the graph is compared with."""
        g = self.model.condition(
            features.transpose(1, 2),
            f0_bins,
            torch.zeros_like(f0_bins),
            self.mouth_amp,
            torch.ones(1, 1),
        )
        return self._landmarks(self.model.generate(g, z), features.shape[1])

    def _landmarks(self, motion: torch.Tensor, count: int) -> torch.Tensor:
        return (motion @ self.matrix + self.offset).reshape(1, count, 68, 3)


def _mask(count: int, length: torch.Tensor, unit: int) -> torch.Tensor:
    """1 where position times unit < length, else 0: float [count].

    All are whole numbers, so no comparison is needed.
    """
    positions = torch.arange(0, count * unit, unit, dtype=torch.float32)
    return (length - positions).clamp(0.0, 1.0)
