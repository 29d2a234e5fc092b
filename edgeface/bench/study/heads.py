"""From features to landmarks: GeneFace++'s network behind each encoder, in PyTorch and in ONNX."""

import os

import numpy as np
import onnxruntime
import torch

from ...build import load_model
from ...core.rates import HOP_SAMPLES
from ...features.f0 import F0
from ...importer.adapter import read_arrays
from ...importer.audio2motion import Audio2Motion, load_audio2motion
from ...importer.checkpoint import read_checkpoint
from ...importer.graphs import MotionGraph
from ...importer.importer import adapted, face_of, find_weights
from ...model.window import noise, pitch_bins

_TEMPERATURE, _MOUTH = 0.2, 0.4
_FILES = ("audio2motion.ckpt", "adapter.npz", "basis.npz")


class _Plain(torch.nn.Module):
    def __init__(self, graph):
        super().__init__()
        self.graph = graph

    def forward(self, features, f0_bins, z):
        return self.graph.plain(features, f0_bins, z)


class Heads:
    """Networks by the width of their features, 1024 and 768.

    :param checkpoints: folder with `audio2motion.ckpt`, `adapter.npz` and `basis.npz`, all or none of which count
    """

    def __init__(self, threads, folder, checkpoints):
        paths = [os.path.join(checkpoints or "", name) for name in _FILES]
        self.trained = checkpoints is not None and all(map(os.path.exists, paths))
        rng = np.random.RandomState(0)
        if self.trained:
            state = find_weights(read_checkpoint(paths[0]), "audio2motion", paths[0]).state
            adapter = read_arrays(paths[1], ("matrix",), ("matrix",))["matrix"]
            basis = read_arrays(paths[2], ("mean", "exp", "id", "identity"))
            wide = load_audio2motion(state)
        else:
            torch.manual_seed(1)
            wide = Audio2Motion(
                1024, 128, 64, pitch=128, projected=True, mouth=True, blink=True
            ).eval()
            state = wide.state_dict()
            adapter = (rng.standard_normal((1024, 768)) / 768**0.5).astype(np.float32)
            basis = {
                "mean": np.array(load_model("").neutral, np.float32),
                "exp": rng.standard_normal((204, 64)).astype(np.float32) / 64,
            }
        narrow = load_audio2motion(adapted(state, adapter, "adapter"))
        self.neutral, matrix, offset, _ = face_of(
            wide.vae.decoder.out_proj.out_channels, basis, "basis"
        )
        self._graphs = {
            1024: _Plain(MotionGraph(wide, matrix, offset, _MOUTH)).eval(),
            768: _Plain(MotionGraph(narrow, matrix, offset, _MOUTH)).eval(),
        }
        self._sessions = {}
        for width, graph in self._graphs.items():
            path = os.path.join(folder, f"motion-{width}.onnx")
            example = (
                torch.zeros(1, 16, width),
                torch.ones(1, 16, dtype=torch.int64),
                torch.zeros(1, 16, 4),
            )
            with torch.no_grad():
                torch.onnx.export(
                    graph,
                    example,
                    path,
                    opset_version=13,
                    dynamo=False,
                    output_names=["landmarks"],
                    input_names=["features", "f0_bins", "z"],
                    dynamic_axes={"features": {1: "T"}, "f0_bins": {1: "T"}, "z": {2: "S"}},
                )
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            self._sessions[width] = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )

    @staticmethod
    def prepared(features, f0_hz):
        """Inputs of a network: features at 25 Hz cut to a multiple of four frames, as upstream does, bins and noise."""
        features = features[::2] if features.shape[1] == 1024 else features
        count = min(len(features), len(f0_hz)) // 4 * 4
        z = np.stack([noise(0, slot) for slot in range(count // 4)], 1)
        return (
            features[None, :count],
            pitch_bins(f0_hz[:count])[None],
            (_TEMPERATURE * z[None]).astype(np.float32),
        )

    def in_torch(self, features, f0_bins, z):
        """Landmarks float32 [T, 68, 3]."""
        with torch.no_grad():
            return self._graphs[features.shape[2]](*map(torch.from_numpy, (features, f0_bins, z)))[
                0
            ].numpy()

    def in_onnx(self, features, f0_bins, z):
        """The same."""
        return self._sessions[features.shape[2]].run(
            None, {"features": features, "f0_bins": f0_bins, "z": z}
        )[0][0]


def f0_of(samples):
    """F0 of each face frame in Hz, float32 [T]."""
    f0 = F0()
    padded = np.concatenate((samples, np.zeros(2 * HOP_SAMPLES, np.float32)))
    return np.concatenate((f0.accept(padded), f0.finish()))[::2]


def ray_grids(frames, size=512):
    """What upstream's batch preparation does for every frame: a ray through each pixel of the picture to be rendered.

    Returns the number of values, so that nothing is optimised away; the landmarks need none of them.
    """
    x, y = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    directions = np.stack((x / size - 0.5, y / size - 0.5, np.ones_like(x)), -1).reshape(-1, 3)
    rotation, count = np.eye(3, dtype=np.float32), 0
    for _ in range(frames):
        rays = directions @ rotation
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        count += rays.size + np.zeros_like(rays).size
    return count
