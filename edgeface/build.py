"""Builds the pipeline that settings describe."""

import functools
import logging
import os

import numpy as np

from .core.errors import DataError, UnavailableError
from .core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ
from .core.resources import DEFAULT_BUNDLE
from .model import window
from .model.bundle import Bundle
from .model.engines import prepare, ready_engine
from .model.runtime import open_session
from .model.stepper import Stepper
from .model.whole import whole_motion
from .model.window import Window, WindowStepper
from .motion.refine import NEIGHBOURS, Refiner
from .pipeline import Pipeline

_LOG = logging.getLogger(__name__)


def load_bundle(folder):
    """The bundle in a folder; of the package when the name is empty."""
    return Bundle(folder or DEFAULT_BUNDLE)


def build_pipeline(settings, bundle, tell=_LOG.info):
    """Opens the model and warms it up; where TensorRT is demanded, its engine is built first, which takes minutes.

    :param settings: `config.Settings`
    :param tell: called with lines about the building of an engine
    :return: `pipeline.Pipeline`
    """
    lookahead_ms, policy = (
        bundle.lookahead_ms(settings.motion.lookahead_ms),
        settings.model.provider,
    )
    builder = {"auto": "tensorrt", "tensorrt": "tensorrt", "native": "native"}.get(policy)
    engine = ready_engine(bundle, lookahead_ms, builder) if builder else None
    if engine is None and policy in ("tensorrt", "native"):
        engine = prepare(bundle, lookahead_ms, tell, provider=policy)
    return open_pipeline(
        bundle,
        lookahead_ms,
        policy,
        engine and engine.folder,
        engine is not None and engine.float16,
        settings.motion.blink,
    )


def open_pipeline(bundle, lookahead_ms, policy, cache=None, float16=False, blink=True):
    """A `pipeline.Pipeline`; `policy`, `cache`, `float16` and errors as `model.runtime.open_session`."""
    if bundle.pair:
        stepper = WindowStepper(
            open_window(bundle, bundle.pair.frames, policy, cache, float16),
            bundle.pair,
            make_refiner(bundle),
        )
    else:
        session = open_session(bundle.step_file(lookahead_ms), policy, cache, float16)
        stepper = Stepper(session, bundle.context_frames)
    return Pipeline(stepper, lookahead_ms, blink=blink)


def open_window(bundle, frames, policy, cache=None, float16=False):
    """The `Window` of so many frames of an imported pair; arguments as `open_session`."""
    if policy == "native":
        raise UnavailableError(
            f"bundle {bundle.folder}: an imported pair runs in ONNX Runtime only; model.provider: tensorrt"
        )
    encoder, head = (
        open_session(os.path.join(bundle.folder, graphs[frames]), policy, cache, float16)
        for graphs in (bundle.pair.encoders, bundle.pair.heads)
    )
    return Window(encoder, head, frames, bundle.pair)


def make_refiner(bundle):
    """What an imported pair's faces go through.

    :raises DataError: the file of the subject's faces holds something else
    """
    pair, faces = bundle.pair, None
    if pair.database is not None:
        path = os.path.join(bundle.folder, pair.database)
        try:
            faces = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: no faces ({error}); import again") from None
        if (
            faces.ndim != 2
            or faces.shape[1] != 204
            or len(faces) < NEIGHBOURS
            or faces.dtype.kind != "f"
            or not np.isfinite(faces).all()
        ):
            raise DataError(f"{path}: not at least {NEIGHBOURS} faces of 204 numbers; import again")
        faces = faces.astype(np.float32)
    return Refiner(bundle.neutral, faces, pair.share, pair.smoothing)


def whole_pass(bundle, samples, policy, lookahead_ms):
    """Landmarks [T, 68, 3], blendshapes [T, 52] and speech [T] of float32 [N] in one pass, for comparing."""
    if bundle.pair:
        windows = {
            frames: functools.partial(open_window, bundle, frames, policy)
            for frames in bundle.pair.encoders
        }
        return window.whole_motion(windows, make_refiner(bundle), samples)
    return whole_motion(
        open_session(bundle.whole_file(lookahead_ms), policy),
        samples,
        lookahead_ms * SAMPLE_RATE_HZ // 1000 // HOP_SAMPLES,
        bundle.context_frames,
        bundle.whole_frames,
    )
