"""Graphs of all lengths of an encoder or a motion network, checked against PyTorch."""

from pathlib import Path
from typing import Callable, Dict, Tuple

import numpy as np

from ..core.errors import DataError
from ..model.runtime.library import onnxruntime
from .graphs import FixedGraph
from .onnx_files import reduce_precision, share_weights, write_graph

WHOLE_FRAMES = (128, 504)  # of one pass over a file: 5 and 20 s
_TOLERANCE = 1e-4  # of ONNX against PyTorch

Progress = Callable[[str], object]
# of a session and its frames: what PyTorch computes, and what the session does
Compare = Callable[[onnxruntime.InferenceSession, int], Tuple[np.ndarray, np.ndarray]]


def export_lengths(
    module: FixedGraph,
    folder: Path,
    name: str,
    window: Dict[str, int],
    precision: str,
    compare: Compare,
    progress: Progress,
) -> Tuple[Dict[int, str], Dict[str, float]]:
    """Writes the graphs of a network and checks them.

    :param folder: of the bundle
    :param name: what the files are named after
    :param window: `past`, `hop` and `future` of a streaming window in frames
    :param precision: of the weights: `float32`, `float16` or `int8`
    :return: file names by frames, and figures of the comparison
    :raises DataError: ONNX Runtime computes something else
    """
    folder.mkdir(parents=True, exist_ok=True)
    graphs: Dict[int, str] = {}
    figures: Dict[str, float] = {}
    for frames in sorted({sum(window.values()), *WHOLE_FRAMES}):
        graphs[frames] = f"{name}_{frames}.onnx"
        path = folder / graphs[frames]
        progress(f"{name}: exporting a window of {frames} frames")
        module.eval().frames = frames
        write_graph(module, module.example(frames), module.INPUTS, module.OUTPUTS, path)
        wanted, got = compare(_open(path), frames)
        difference = float(np.abs(got - wanted).max())
        if difference > _TOLERANCE * max(1.0, float(np.abs(wanted).max())):
            raise DataError(f"{path}: ONNX differs from PyTorch by {difference:.1e}; report it")
        figures["onnx_difference"] = max(difference, figures.get("onnx_difference", 0.0))
        if precision != "float32":
            reduce_precision(path, precision)
            wanted, got = compare(_open(path), frames)
            figures["cosine"] = min(_cosine(wanted, got), figures.get("cosine", 1.0))
            difference = float(np.abs(got - wanted).max())
            figures["difference"] = max(difference, figures.get("difference", 0.0))
    share_weights([folder / graph for graph in graphs.values()], folder / f"{name}.bin")
    shown = ", ".join(f"{figure} {value:.3g}" for figure, value in sorted(figures.items()))
    progress(f"{name}: {shown}")
    return graphs, figures


def _open(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Mean cosine of the angle between vectors [..., C]."""
    cosines = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return float(cosines.mean())
