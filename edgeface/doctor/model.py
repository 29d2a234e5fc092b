"""Bundle, providers, and whether the model moves the lips in time."""

import os
import time
from typing import Iterator

import numpy as np

from ..build import build_pipeline, load_model
from ..config import Settings
from ..core.errors import UnavailableError
from ..core.rates import FRAME_MS
from ..core.resources import BUNDLED_VOICE
from ..model.engines import cache_root, ready_engine
from ..model.runtime.compute import Compute
from ..model.runtime.onnx_session import available_providers
from ..model.runtime.providers import open_onnx
from ..motion.face import lip_gap
from ..source.file import read_whole
from .finding import BAD, OK, WARN, Finding

_SLOW = 0.5  # share of the time that a frame lasts
_OPEN_LIPS = 0.05  # gap in the unit of the landmarks
_CLOSED_LIPS = 0.02


def bundle(settings: Settings) -> Iterator[Finding]:
    """That the bundle is complete and undamaged."""
    loaded = load_model(settings.model.bundle)
    yield Finding("bundle", OK, f"{loaded.name} {loaded.version}, undamaged")


def providers(settings: Settings) -> Iterator[Finding]:
    """What the sessions really get, not what the library was compiled with."""
    loaded = load_model(settings.model.bundle)
    lookahead_ms = settings.motion.lookahead_ms
    graph = os.path.join(loaded.folder, loaded.streaming_files(lookahead_ms)[0])
    for provider in available_providers():
        engine = ready_engine(loaded, lookahead_ms) if provider == "tensorrt" else None
        if provider == "tensorrt" and engine is None:
            fix = "edgeface model prepare, if TensorRT is to be used"
            yield Finding("tensorrt", WARN, f"no engine in {cache_root()}", fix)
            continue
        try:
            session = open_onnx(graph, Compute(provider, engine))
        except UnavailableError as error:
            fix = "install the libraries that it names, or model.provider: cpu"
            yield Finding(provider, WARN, str(error), fix)
            continue
        kernels = session.placement or {}
        counts = ", ".join(f"{count} on {place}" for place, count in kernels.items())
        counts = counts or f"all on {provider}"
        reason = f"; {engine.reason}" if engine else ""
        yield Finding(provider, OK, f"works; kernels: {counts}{reason}")


def model(settings: Settings) -> Iterator[Finding]:
    """The bundled voice through the whole pipeline."""
    began_s = time.monotonic()
    pipeline = build_pipeline(settings, load_model(settings.model.bundle))
    built_s = time.monotonic() - began_s
    samples = read_whole(BUNDLED_VOICE)
    began_s = time.monotonic()
    frames = pipeline.accept(samples) + pipeline.finish()
    frame_ms = 1000.0 * (time.monotonic() - began_s) / len(frames)
    load = frame_ms / FRAME_MS
    gap = lip_gap(np.array([frame.landmarks for frame in frames]))
    found = (
        f"{pipeline.provider}: built in {built_s:.1f} s, {frame_ms:.2f} ms a frame,"
        f" {100 * load:.0f} % of a core"
    )
    if not np.isfinite(gap).all() or gap.max() < _OPEN_LIPS or gap.min() > _CLOSED_LIPS:
        found += "; the bundled voice does not move the lips"
        yield Finding("model", BAD, found, "edgeface model verify")
    elif load > _SLOW:
        fix = "stop other programs, or choose a faster power mode (nvpmodel)"
        yield Finding("model", WARN, found, fix)
    else:
        yield Finding("model", OK, f"{found}; the bundled voice moves the lips")
