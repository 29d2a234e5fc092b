"""Builds the pipeline that settings describe."""

from .model.bundle import DEFAULT, Bundle
from .model.runtime import open_session
from .model.stepper import Stepper
from .pipeline import Pipeline


def load_bundle(folder):
    """The bundle in a folder; of the package when the name is empty."""
    return Bundle(folder or DEFAULT)


def build_pipeline(settings, bundle):
    """Opens the model and warms it up.

    :param settings: `config.Settings`
    :return: `pipeline.Pipeline`
    """
    lookahead_ms = settings.motion.lookahead_ms
    session = open_session(bundle.step_file(lookahead_ms), settings.model.provider)
    stepper = Stepper(session, bundle.context_frames)
    return Pipeline(stepper, lookahead_ms, blink=settings.motion.blink)
