"""Command: blendshapes out of landmarks, for imported networks that know no blendshapes.

A ridge regression on the GRID talker's tracked motion; prints how much of each
shape's variance it explains on held-out clips.

Example:
    python -m training.shapes --data ../shared/data
"""

import argparse
from pathlib import Path

import numpy as np

from edgeface.motion.face import BLENDSHAPES, EYES, SHAPES_FILE

from .corpus import is_held_out, load_grid

_RIDGE = 1e-3  # of the mean variance of a coordinate


def fit(clips, neutral):
    """Matrix float32 [204, 52] from landmarks less the neutral ones to blendshapes; eyes count nothing."""
    faces = (
        np.concatenate([clip.landmarks - neutral for clip in clips])
        .reshape(-1, 204)
        .astype(np.float64)
    )
    shapes = np.concatenate([clip.blendshapes for clip in clips])
    gram = faces.T @ faces
    gram[np.diag_indices(204)] += _RIDGE * np.trace(gram) / 204
    matrix = np.linalg.solve(gram, faces.T @ shapes).astype(np.float32)
    matrix.reshape(68, 3, 52)[EYES] = 0.0
    return matrix


def main():
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    clips, neutral = load_grid(options.data / "grid_s1")
    matrix = fit([clip for clip in clips if not is_held_out(clip.name)], neutral)
    held_out = [clip for clip in clips if is_held_out(clip.name)]
    faces = np.concatenate([clip.landmarks - neutral for clip in held_out]).reshape(-1, 204)
    wanted = np.concatenate([clip.blendshapes for clip in held_out])
    left = ((np.clip(faces @ matrix, 0, 1) - wanted) ** 2).mean(0)
    variance = wanted.var(0)
    for at in np.argsort(-variance)[:12]:
        print(f"{BLENDSHAPES[at]:20} {1 - left[at] / variance[at]:.2f}")
    print(f"all shapes together  {1 - left.sum() / variance.sum():.2f}")
    np.save(SHAPES_FILE, matrix.astype(np.float16))


if __name__ == "__main__":
    main()
