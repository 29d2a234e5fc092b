"""From features to landmarks: GeneFace++'s network behind each encoder, in PyTorch and in ONNX."""

import os
from typing import Any, Dict, Optional, Tuple

import numpy as np
import torch

from ...build import load_model
from ...core.rates import HOP_SAMPLES
from ...features.f0 import F0
from ...importer.adapter import read_array, read_arrays
from ...importer.audio2motion import Audio2Motion, load_audio2motion
from ...importer.checkpoint import read_checkpoint
from ...importer.face import face_of
from ...importer.graphs import MotionGraph
from ...importer.weights import State, adapted, find_weights
from ...model.window import FRAMES_PER_LATENT, LATENT, noise, pitch_bins
from .onnx_export import export_any_length, open_graph

_TEMPERATURE = 0.2
_MOUTH_AMP = 0.4
_WIDE = 1024  # values of HuBERT large
_NARROW = 768  # and of the others
_FILES = ("audio2motion.ckpt", "adapter.npz", "basis.npz")
_INPUTS = ["features", "f0_bins", "z"]
_AXES = {"features": {1: "T"}, "f0_bins": {1: "T"}, "z": {2: "S"}}

Inputs = Tuple[np.ndarray, np.ndarray, np.ndarray]


class Heads:
    """Networks by the width of their features, 1024 and 768.

    `trained`: whether their weights are; `neutral`: the resting face [68, 3].

    :param folder: for graphs
    :param checkpoints: folder with `audio2motion.ckpt`, `adapter.npz` and `basis.npz`, which count
        only together; None: random weights
    """

    def __init__(self, threads: int, folder: str, checkpoints: Optional[str]) -> None:
        paths = [os.path.join(checkpoints or "", name) for name in _FILES]
        self.trained = checkpoints is not None and all(os.path.exists(path) for path in paths)
        state, adapter, basis = _trained(*paths) if self.trained else _random()
        wide = load_audio2motion(state)
        narrow = load_audio2motion(adapted(state, adapter, "adapter"))
        face = face_of(wide.outputs, basis, "basis")
        self.neutral = face.neutral
        self._graphs: Dict[int, Any] = {}
        self._sessions: Dict[int, Any] = {}
        for width, network in ((_WIDE, wide), (_NARROW, narrow)):
            graph = _Plain(MotionGraph(network, face.matrix, face.offset, _MOUTH_AMP)).eval()
            path = os.path.join(folder, f"motion-{width}.onnx")
            example = (
                torch.zeros(1, 16, width),
                torch.ones(1, 16, dtype=torch.int64),
                torch.zeros(1, LATENT, 16 // FRAMES_PER_LATENT),
            )
            export_any_length(graph, example, _INPUTS, "landmarks", _AXES, path)
            self._graphs[width] = graph
            self._sessions[width] = open_graph(path, threads)

    @staticmethod
    def prepared(features: np.ndarray, f0_hz: np.ndarray) -> Inputs:
        """Inputs of a network: features, bins and noise.

        Features at 25 Hz are cut to a multiple of four frames, as upstream does.
        """
        if features.shape[1] == _WIDE:
            features = features[::2]
        slots = min(len(features), len(f0_hz)) // FRAMES_PER_LATENT
        count = FRAMES_PER_LATENT * slots
        z = np.stack([noise(0, slot) for slot in range(slots)], 1)
        return (
            features[None, :count],
            pitch_bins(f0_hz[:count])[None],
            (_TEMPERATURE * z[None]).astype(np.float32),
        )

    def in_torch(self, features: np.ndarray, f0_bins: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Landmarks float32 [T, 68, 3]."""
        inputs = [torch.from_numpy(array) for array in (features, f0_bins, z)]
        with torch.no_grad():
            return self._graphs[features.shape[2]](*inputs)[0].numpy()

    def in_onnx(self, features: np.ndarray, f0_bins: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The same."""
        feed = dict(zip(_INPUTS, (features, f0_bins, z)))
        return self._sessions[features.shape[2]].run(None, feed)[0][0]


class _Plain(torch.nn.Module):
    """A motion graph without masks."""

    def __init__(self, graph: MotionGraph) -> None:
        super().__init__()
        self.graph = graph

    def forward(
        self, features: torch.Tensor, f0_bins: torch.Tensor, z: torch.Tensor
    ) -> torch.Tensor:
        return self.graph.plain(features, f0_bins, z)


def _trained(
    checkpoint: str, adapter: str, basis: str
) -> Tuple[State, np.ndarray, Dict[str, np.ndarray]]:
    state = find_weights(read_checkpoint(checkpoint), "audio2motion", checkpoint).state
    matrix = read_array(adapter, "matrix")
    return state, matrix, read_arrays(basis, ("mean", "exp", "id", "identity"))


def _random() -> Tuple[State, np.ndarray, Dict[str, np.ndarray]]:
    torch.manual_seed(1)
    network = Audio2Motion(_WIDE, 128, 64, pitch=128, projected=True, mouth=True, blink=True)
    random = np.random.RandomState(0)
    adapter = (random.standard_normal((_WIDE, _NARROW)) / _NARROW**0.5).astype(np.float32)
    basis: Dict[str, np.ndarray] = {
        "mean": np.array(load_model().neutral, np.float32),
        "exp": random.standard_normal((204, 64)).astype(np.float32) / 64,
    }
    return network.state_dict(), adapter, basis


def f0_of(samples: np.ndarray) -> np.ndarray:
    """F0 of each face frame in Hz, float32 [T]."""
    f0 = F0()
    padded = np.concatenate((samples, np.zeros(2 * HOP_SAMPLES, np.float32)))
    return np.concatenate((f0.accept(padded), f0.finish()))[::2]


def ray_grids(frames: int, size: int = 512) -> int:
    """What upstream's batch preparation does: a ray through each pixel of each frame's picture.

    The landmarks need none of them.

    :return: the number of values, so that nothing is optimised away
    """
    x, y = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    directions: np.ndarray = np.stack(
        (x / size - 0.5, y / size - 0.5, np.ones_like(x)), -1
    ).reshape(-1, 3)
    rotation: np.ndarray = np.eye(3, dtype=np.float32)
    count = 0
    for _ in range(frames):
        rays = directions @ rotation
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        count += rays.size + np.zeros_like(rays).size
    return count
