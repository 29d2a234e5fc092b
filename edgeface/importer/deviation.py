"""How far the stream of an imported model is from one pass over the same sound."""

from pathlib import Path
from typing import Dict

import numpy as np

from ..build import build_pipeline, load_model
from ..config import MOUTH_ONLY, Model, Settings
from ..core.resources import BUNDLED_VOICE
from ..model.runtime.compute import Compute
from ..source.file import read_whole


def measure_deviation(folder: Path) -> Dict[str, float]:
    """The bundled voice through both, in units of the distance between the eyes.

    :return: `mean`, `p99` and `max` of the distance of landmarks, and `motion`, how far landmarks
        are from the resting face in the mean
    """
    model = load_model(str(folder))
    voice = read_whole(BUNDLED_VOICE)
    settings = Settings(model=Model(bundle=str(folder)), motion=MOUTH_ONLY)
    pipeline = build_pipeline(settings, model)
    frames = pipeline.accept(voice) + pipeline.finish()
    streamed = np.array([frame.landmarks for frame in frames])
    whole = model.whole_motion(voice, model.latency_ms, Compute("cpu")).landmarks
    apart = np.linalg.norm(streamed - whole, axis=-1)
    moved = np.linalg.norm(whole - np.array(model.neutral), axis=-1)
    return {
        "mean": float(apart.mean()),
        "p99": float(np.percentile(apart, 99)),
        "max": float(apart.max()),
        "motion": float(moved.mean()),
    }
