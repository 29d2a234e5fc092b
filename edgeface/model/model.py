"""What every model can do, whatever its networks look like."""

import os
from abc import ABC, abstractmethod
from typing import Iterable, List, NamedTuple, Sequence

import numpy as np

from ..core.errors import UnavailableError
from .description import Description
from .runtime.compute import Compute
from .runtime.providers import require_installed
from .stepper import Stepper

_SHAPES = ((68, 3), (52,), ())  # of a frame's landmarks, blendshapes and speech


class WholeMotion(NamedTuple):
    """The motion of a whole file of T frames, as the networks compute it.

    `landmarks`: [T, 68, 3]; `blendshapes`: [T, 52]; `speech`: its probability, [T]; all float32.
    """

    landmarks: np.ndarray
    blendshapes: np.ndarray
    speech: np.ndarray


class Model(ABC):
    """A model and the bundle that holds it.

    `folder`: of the bundle; `description`: what bundle.yaml says; `crc32`: identifies the model in
    shared memory; `runs_natively`: whether TensorRT without ONNX Runtime can run its graphs.

    :param folder: of a bundle whose files were verified
    :param description: of that bundle
    """

    runs_natively = True

    def __init__(self, folder: str, description: Description) -> None:
        self.folder = folder
        self.description = description
        self.crc32 = description.crc32
        self.name = description.name
        self.version = description.version
        self.licence = description.licence
        self.origin = description.origin
        self.latency_ms = description.latency_ms
        self.neutral = description.neutral
        self.files = description.files

    @abstractmethod
    def lookahead_ms(self, wanted_ms: int) -> int:
        """The look-ahead that a stream has when this one is configured."""

    @abstractmethod
    def lookahead_text(self) -> str:
        """The look-aheads that it offers, for people."""

    @abstractmethod
    def streaming_files(self, lookahead_ms: int) -> List[str]:
        """Names of the graphs that a stream runs."""

    @abstractmethod
    def graph_files(self) -> Iterable[str]:
        """Names of all graphs."""

    @abstractmethod
    def open_stepper(self, lookahead_ms: int, compute: Compute) -> Stepper:
        """Opens the graphs of a stream.

        :param lookahead_ms: one of the model's
        :raises UnavailableError: the required provider is not the one that computes
        :raises DataError: the bundle has no such graph, or it does not load
        """

    def open_block_stepper(self, lookahead_ms: int, compute: Compute) -> Stepper:
        """Opens what is fastest where all the sound is there already, such as in a file.

        Its faces are those of `open_stepper` within 1e-4; errors as there.
        """
        return self.open_stepper(lookahead_ms, compute)

    @abstractmethod
    def whole_motion(self, samples: np.ndarray, lookahead_ms: int, compute: Compute) -> WholeMotion:
        """The motion of a whole file without a stream: what the stream is compared with.

        :param samples: float32 [N] at 16 kHz
        :param lookahead_ms: one of the model's
        :return: T = ceil(N / 640) frames
        :raises UnavailableError: the required provider is not the one that computes
        """

    def check_provider(self, provider: str) -> None:
        """Raises UnavailableError if its graphs can never run on this provider here."""
        if provider == "native" and not self.runs_natively:
            raise UnavailableError(
                f"bundle {self.folder}: an imported model runs in ONNX Runtime only; "
                "choose model.provider: tensorrt"
            )
        require_installed(provider)

    @property
    def graphs(self) -> List[str]:
        """Paths of all graphs."""
        return [self.path(name) for name in sorted(set(self.graph_files()))]

    def path(self, name: str) -> str:
        """Path of one of its files."""
        return os.path.join(self.folder, name)


def join_motion(pieces: Sequence[Sequence[np.ndarray]], count: int) -> WholeMotion:
    """The motion of so many frames out of consecutive pieces.

    :param pieces: landmarks [n, 68, 3], blendshapes [n, 52] and speech [n] of each
    """
    parts = []
    for i, shape in enumerate(_SHAPES):
        arrays = [np.zeros((0,) + shape, np.float32)]
        arrays += [np.asarray(piece[i], np.float32) for piece in pieces]
        parts.append(np.concatenate(arrays)[:count])
    return WholeMotion(*parts)
