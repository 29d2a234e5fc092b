"""From settings to a pipeline: the model of a bundle, the engine it needs, and its stream."""

import logging
from typing import Callable, Optional

from .config import Motion, Settings
from .core.child import module_command
from .core.resources import DEFAULT_BUNDLE
from .life.life import Life, Strengths
from .model.bundle import read_bundle
from .model.description import StepNetwork
from .model.engines import prepare, ready_engine
from .model.model import Model
from .model.runtime.compute import Compute, Engine
from .model.step_model import StepModel
from .model.window_model import WindowModel
from .motion.calibration import Calibration, ShapeRange
from .motion.mouth import MouthShapes
from .pipeline import Pipeline

_LOG = logging.getLogger(__name__)
# the builder of the engines that each provider of the configuration needs
_BUILDERS = {"auto": "tensorrt", "tensorrt": "tensorrt", "native": "native"}


def load_model(folder: str = "") -> Model:
    """The model of a bundle.

    :param folder: of the bundle; the package's by default
    :raises MissingInputError: there is no such folder, or no bundle.yaml in it
    :raises DataError: the description is damaged, or a file is not what it says
    """
    folder = str(folder or DEFAULT_BUNDLE)
    description = read_bundle(folder)
    network = description.network
    if isinstance(network, StepNetwork):
        return StepModel(folder, description, network)
    return WindowModel(folder, description, network)


def build_pipeline(
    settings: Settings, model: Model, progress: Callable[[str], object] = _LOG.info
) -> Pipeline:
    """Opens the model and warms it up.

    Where TensorRT is required and has no engine yet, that is built first, which takes minutes.

    :param progress: called with lines about the building of an engine
    :raises UnavailableError: the required provider is unavailable
    """
    lookahead_ms = model.lookahead_ms(settings.motion.lookahead_ms)
    compute = _compute(settings, model, lookahead_ms, progress)
    life = Life(strengths_of(settings.motion))
    pipeline = open_pipeline(model, lookahead_ms, compute, life, settings.motion.f0)
    pipeline.calibration = calibration_of(settings.motion, model.neutral)
    return pipeline


class FilePipelines:
    """Pipelines for sound that is all there already, with frames of `build_pipeline` within 1e-4.

    They share the opened model: only the newest one may be used.

    :raises UnavailableError: the required provider is unavailable
    """

    def __init__(self, settings: Settings, model: Model) -> None:
        self._strengths = strengths_of(settings.motion)
        self._f0 = settings.motion.f0
        self._lookahead_ms = model.lookahead_ms(settings.motion.lookahead_ms)
        compute = _compute(settings, model, self._lookahead_ms, _LOG.info)
        # engines are built for steps only, not for blocks of them
        opener = model.open_stepper if compute.engine else model.open_block_stepper
        self._stepper = opener(self._lookahead_ms, compute)
        self._mouth = MouthShapes(model.neutral)
        self._calibration = calibration_of(settings.motion, model.neutral)

    def next(self) -> Pipeline:
        """A pipeline for the next file."""
        life = Life(self._strengths)
        pipeline = Pipeline(self._stepper, self._lookahead_ms, self._mouth, life, self._f0)
        pipeline.calibration = self._calibration
        return pipeline


def _compute(
    settings: Settings, model: Model, lookahead_ms: int, progress: Callable[[str], object]
) -> Compute:
    """The configured provider, with the engine that it needs."""
    provider = settings.model.provider
    model.check_provider(provider)
    engine = None
    if provider in _BUILDERS:
        builder = _BUILDERS[provider]
        engine = ready_engine(model, lookahead_ms, builder)
        if engine is None and provider != "auto":
            engine = prepare_engine(model, lookahead_ms, progress, builder)
    return Compute(provider, engine)


def open_pipeline(
    model: Model,
    lookahead_ms: int,
    compute: Compute,
    life: Optional[Life] = None,
    f0: bool = True,
) -> Pipeline:
    """The stream of a model; errors as `Model.open_stepper`."""
    stepper = model.open_stepper(lookahead_ms, compute)
    return Pipeline(stepper, lookahead_ms, MouthShapes(model.neutral), life, f0)


def strengths_of(motion: Motion) -> Strengths:
    """What the settings want to move beside the mouth."""
    return Strengths(motion.head / 100, motion.gaze / 100, motion.brows / 100, motion.blink)


def calibration_of(motion: Motion, neutral: object) -> Calibration:
    """What the settings want done to the faces of a model.

    :param neutral: its resting face, [68, 3]
    """
    shapes = {
        name: ShapeRange(shape.gain / 100, shape.offset / 100, shape.min / 100, shape.max / 100)
        for name, shape in motion.shapes
    }
    return Calibration(neutral, motion.strength / 100, shapes)


def prepare_engine(
    model: Model,
    lookahead_ms: int,
    progress: Callable[[str], object],
    provider: str = "tensorrt",
    root: Optional[str] = None,
) -> Engine:
    """Builds the engines of a model by running the bundled voice; see `model.engines.prepare`.

    :param root: where engines are kept; systemd's cache folder or the user's by default
    """
    worker = module_command("edgeface.engine_worker", model.folder, str(lookahead_ms))
    return prepare(model, lookahead_ms, provider, worker, progress, root)
