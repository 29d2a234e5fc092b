"""Command: what half precision and 8-bit weights would cost and bring in the package's bundle.

Example:
    python -m training.precision --data ../shared/data
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

from edgeface.build import load_model
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.importer.onnx_files import reduce_precision
from edgeface.model.runtime.providers import open_session
from edgeface.model.step_model import require_step_model
from edgeface.model.stepper import CachedStepper
from edgeface.pipeline import Pipeline

from .corpus import is_held_out, load_grid
from .evaluate import animate_all, correlations

_ROUNDS, _STEPS = 7, 400


def _step_ms(sessions):
    """Median ms of a step of each session, in turn, so that all see the same load."""
    times = {name: [] for name in sessions}
    for _ in range(_ROUNDS):
        for name, session in sessions.items():
            caches, fbank = session.first_caches(), np.zeros((1, 4, 80), np.float32)
            for _ in range(_STEPS):
                began = time.perf_counter()
                _, caches = session.step(fbank, caches, ["landmarks"])
                times[name].append(time.perf_counter() - began)
    return {name: 1e3 * float(np.median(spent)) for name, spent in times.items()}


def main():
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE)
    options = parser.parse_args()
    clips, _ = load_grid(options.data / "grid_s1")
    clips = [clip for clip in clips if is_held_out(clip.name)]
    bundle = require_step_model(load_model(options.bundle))
    plain = bundle.step_file(bundle.latency_ms)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.onnx" for name in ("float32", "float16", "int8")}
        for name, path in paths.items():
            onnx.save(onnx.load(plain), str(path))  # weights within
            reduce_precision(path, name)
        sessions = {name: open_session(str(path)) for name, path in paths.items()}
        ms, exact = _step_ms(sessions), None
        print(
            "| weights | MB | ms a step | lip gap | mouth width | landmarks off, mean | largest |"
        )
        print("|---|---|---|---|---|---|---|")
        for name, session in sessions.items():
            pipeline = Pipeline(
                CachedStepper(session, bundle.network.context_frames),
                bundle.latency_ms,
                blink=False,
            )
            faces = animate_all(pipeline, clips)
            exact = exact or faces
            apart = np.concatenate(
                [np.linalg.norm(a - b, axis=-1).ravel() for a, b in zip(faces, exact)]
            )
            print(
                "| %s | %.2f | %.3f | %.3f | %.3f | %.5f | %.4f |"
                % (
                    (name, paths[name].stat().st_size / 1e6, ms[name])
                    + correlations(faces, clips)
                    + (apart.mean(), apart.max())
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
