"""Faces of a bundle, from the streaming pipeline that the daemon runs."""

from dataclasses import replace
from typing import Callable, List, Optional

import numpy as np
from tqdm import tqdm

from edgeface.build import build_pipeline
from edgeface.config import MOUTH_ONLY, Settings
from edgeface.model.model import Model
from edgeface.pipeline import Pipeline
from training.data.grid import Clip

Animate = Callable[[np.ndarray], np.ndarray]
"""Sound float32 [N] to landmarks [T, 68, 3]."""
Change = Callable[[np.random.Generator, Clip], np.ndarray]
"""Another sound float32 [N] instead of a clip's own; it may begin earlier."""
_SEED = 4


def pipeline_of(bundle: Model, lookahead_ms: int) -> Pipeline:
    """A pipeline without idle motion."""
    return build_pipeline(Settings(motion=replace(MOUTH_ONLY, lookahead_ms=lookahead_ms)), bundle)


def animate(pipeline: Pipeline, samples: np.ndarray, track: str = "landmarks") -> np.ndarray:
    """Landmarks float32 [T, 68, 3] of float32 [N], or their "blendshapes" [T, 52]."""
    frames = pipeline.accept(np.clip(samples, -1, 1).astype(np.float32)) + pipeline.finish()
    return np.array([getattr(frame, track) for frame in frames])


def animate_all(
    pipeline: Pipeline, clips: List[Clip], change: Optional[Change] = None
) -> List[np.ndarray]:
    """Landmarks float32 [T, 68, 3] of every clip, as it is or changed."""
    rng = np.random.default_rng(_SEED)
    faces = []
    for clip in tqdm(clips, leave=False, disable=None):
        samples = clip.samples if change is None else change(rng, clip)
        faces.append(animate(pipeline, samples)[-len(clip.landmarks) :])
    return faces
