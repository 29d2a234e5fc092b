"""Command: blendshapes out of landmarks, for imported networks that know no blendshapes.

A ridge regression on the GRID talker's tracked motion; prints how much of each shape's variance it
explains on held-out clips, and replaces the package's matrix.

Example:
    python -m training.targets.blendshape_matrix --data ../shared/data
"""

import argparse
from pathlib import Path
from typing import List, Tuple

import numpy as np

from edgeface.motion.face import BLENDSHAPES, EYES, SHAPES_FILE
from training.command import run
from training.data.grid import FOLDER, Clip, held_out, in_training, load_grid

from .landmark_basis import COORDINATES

_RIDGE = 1e-3  # of the mean variance of a coordinate
_PRINTED = 12


def fit(clips: List[Clip], neutral: np.ndarray) -> np.ndarray:
    """Matrix float32 [204, 52] from landmarks less neutral ones to blendshapes; 0 for eyes."""
    faces, shapes = _pairs(clips, neutral)
    faces = faces.astype(np.float64)
    gram = faces.T @ faces
    gram[np.diag_indices(COORDINATES)] += _RIDGE * np.trace(gram) / COORDINATES
    matrix = np.linalg.solve(gram, faces.T @ shapes).astype(np.float32)
    matrix.reshape(68, 3, len(BLENDSHAPES))[EYES] = 0.0
    return matrix


def _pairs(clips: List[Clip], neutral: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Landmarks less the neutral ones [n, 204], blendshapes [n, 52]."""
    faces = np.concatenate([clip.landmarks - neutral for clip in clips])
    shapes = np.concatenate([clip.blendshapes for clip in clips])
    return faces.reshape(-1, COORDINATES), shapes


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument("-o", "--out", type=Path, default=Path(SHAPES_FILE))
    options = parser.parse_args()
    clips, neutral = load_grid(options.data / FOLDER)
    matrix = fit(in_training(clips), neutral)
    faces, wanted = _pairs(held_out(clips), neutral)
    left = ((np.clip(faces @ matrix, 0, 1) - wanted) ** 2).mean(0)
    variance = wanted.var(0)
    for at in np.argsort(-variance)[:_PRINTED]:
        print(f"{BLENDSHAPES[at]:20} {1 - left[at] / variance[at]:.2f}")
    print(f"all shapes together  {1 - left.sum() / variance.sum():.2f}")
    np.save(options.out, matrix.astype(np.float16))


if __name__ == "__main__":
    run(main)
