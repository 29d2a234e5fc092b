"""Command: what half precision and products in 8 bits would cost and bring in the package's bundle.

Example:
    python -m training.judge.precision --data ../shared/data
"""

import tempfile
import time
from pathlib import Path
from typing import Any, Dict

import numpy as np
import onnx

from edgeface.build import load_model
from edgeface.features.fbank import FBANK_PER_FRAME, MEL_BINS
from edgeface.importer.onnx_files import reduce_precision
from edgeface.life.life import Life, Strengths
from edgeface.model.runtime.expanded import write_expanded
from edgeface.model.runtime.providers import open_session
from edgeface.model.step_model import StepModel, require_step_model
from edgeface.model.stepper import CachedStepper
from edgeface.pipeline import Pipeline
from training.command import run
from training.data.grid import FOLDER, held_out, load_grid

from .accuracy import correlations
from .animation import animate_all
from .options import bundle_parser
from .table import Table

_PRECISIONS = ("float32", "float16", "int8")
_CPU = "8 bits, exact products"
_ROUNDS = 7
_STEPS = 400


def median_step_ms(sessions: Dict[str, Any]) -> Dict[str, float]:
    """Median ms of a step of each session, in turn, so that all see the same load."""
    spent: Dict[str, list] = {name: [] for name in sessions}
    fbank = np.zeros((1, FBANK_PER_FRAME, MEL_BINS), np.float32)
    for _ in range(_ROUNDS):
        for name, session in sessions.items():
            caches = session.first_caches()
            for _ in range(_STEPS):
                began = time.perf_counter()
                _, caches = session.step(fbank, caches, ["landmarks"])
                spent[name].append(time.perf_counter() - began)
    return {name: 1e3 * float(np.median(times)) for name, times in spent.items()}


def _write(bundle: StepModel, folder: Path) -> Dict[str, Path]:
    """The step graph in every precision and that for the CPU, with their weights within."""
    paths = {name: folder / f"{name}.onnx" for name in (*_PRECISIONS, _CPU)}
    with tempfile.TemporaryDirectory() as expanded:
        plain = onnx.load(write_expanded(bundle.step_file(bundle.latency_ms), expanded))
    for name in _PRECISIONS:
        onnx.save(plain, str(paths[name]))
        reduce_precision(paths[name], name)
    onnx.save(onnx.load(bundle.cpu_step_file(bundle.latency_ms)), str(paths[_CPU]))
    return paths


def print_precisions(bundle: StepModel, data: Path) -> None:
    """Prints size, time of a step, accuracy and deviation of each precision."""
    clips = held_out(load_grid(data / FOLDER)[0])
    with tempfile.TemporaryDirectory() as folder:
        paths = _write(bundle, Path(folder))
        sessions = {name: open_session(str(path)) for name, path in paths.items()}
        ms = median_step_ms(sessions)
        table = Table(
            "weights",
            "MB",
            "ms a step",
            "lip gap",
            "mouth width",
            "landmarks off, mean",
            "largest",
        )
        exact = None
        for name, session in sessions.items():
            stepper = CachedStepper(session, bundle.network.context_frames)
            pipeline = Pipeline(
                stepper, bundle.latency_ms, life=Life(Strengths(0.0, 0.0, 0.0, False))
            )
            faces = animate_all(pipeline, clips)
            exact = exact or faces
            off = np.concatenate(
                [np.linalg.norm(a - b, axis=-1).ravel() for a, b in zip(faces, exact)]
            )
            gap, width = correlations(faces, clips)
            table.row(
                name,
                f"{paths[name].stat().st_size / 1e6:.2f}",
                f"{ms[name]:.3f}",
                f"{gap:.3f}",
                f"{width:.3f}",
                f"{off.mean():.5f}",
                f"{off.max():.4f}",
            )


def main() -> None:
    """Command line."""
    options = bundle_parser(__doc__, "grid_s1").parse_args()
    print_precisions(require_step_model(load_model(options.bundle)), options.data)


if __name__ == "__main__":
    run(main)
