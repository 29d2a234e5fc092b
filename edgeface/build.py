"""Builds the pipeline that settings describe."""

import logging

from .model.bundle import DEFAULT, Bundle
from .model.engines import prepare, ready_engine
from .model.runtime import open_session
from .model.stepper import Stepper
from .pipeline import Pipeline

_LOG = logging.getLogger(__name__)


def load_bundle(folder):
    """The bundle in a folder; of the package when the name is empty."""
    return Bundle(folder or DEFAULT)


def build_pipeline(settings, bundle, tell=_LOG.info):
    """Opens the model and warms it up; where TensorRT is demanded, its engine is built first, which takes minutes.

    :param settings: `config.Settings`
    :param tell: called with lines about the building of an engine
    :return: `pipeline.Pipeline`
    """
    lookahead_ms, policy = settings.motion.lookahead_ms, settings.model.provider
    builder = {"auto": "tensorrt", "tensorrt": "tensorrt", "native": "native"}.get(policy)
    engine = ready_engine(bundle, lookahead_ms, builder) if builder else None
    if engine is None and policy in ("tensorrt", "native"):
        engine = prepare(bundle, lookahead_ms, tell, provider=policy)
    session = open_session(bundle.step_file(lookahead_ms), policy, cache=engine and engine.folder,
                           float16=engine is not None and engine.float16)
    return Pipeline(Stepper(session, bundle.context_frames), lookahead_ms, blink=settings.motion.blink)
