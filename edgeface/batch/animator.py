"""From a sound file to the frames of its face."""

from typing import List, Tuple

from ..build import FilePipelines, load_model
from ..config import Settings
from ..motion.frame import Frame
from ..source.file import FileSource


class Animator:
    """Opens a model once, for one file after another.

    :raises MissingInputError: there is no such bundle
    :raises DataError: the bundle is damaged
    :raises UnavailableError: the required provider is unavailable
    """

    def __init__(self, settings: Settings) -> None:
        self.model = load_model(settings.model.bundle)
        self._pipelines = FilePipelines(settings, self.model)

    def animate(self, path: str) -> Tuple[List[Frame], int]:
        """The frames of a sound file, and the algorithmic latency in ns; raises as `FileSource`."""
        source = FileSource(path, fast=True)
        pipeline = self._pipelines.next()
        frames = []
        try:
            block = source.read(0.0)
            while block is not None:
                frames += pipeline.accept(block.samples)
                block = source.read(0.0)
        finally:
            source.close()
        return frames + pipeline.finish(), pipeline.latency_ns
