"""The child that builds engines, by running the bundled voice through a model.

Arguments: BUNDLE LOOKAHEAD_MS FOLDER PROVIDER float32|float16. Engines, and the landmarks that they
compute, are left in FOLDER. `build.prepare_engine` starts it.
"""

import os
import sys

import numpy as np

from .build import load_model, open_pipeline
from .core.errors import EdgefaceError
from .core.resources import BUNDLED_VOICE
from .model.engines import FRAMES
from .model.runtime.compute import Compute, Engine
from .source.file import read_whole


def main(bundle: str, lookahead_ms: str, folder: str, provider: str, precision: str) -> None:
    """Builds the engines of one precision."""
    engine = Engine(folder, float16=precision == "float16")
    pipeline = open_pipeline(load_model(bundle), int(lookahead_ms), Compute(provider, engine))
    frames = pipeline.accept(read_whole(BUNDLED_VOICE)) + pipeline.finish()
    np.save(os.path.join(folder, FRAMES), np.array([frame.landmarks for frame in frames]))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except EdgefaceError as error:
        sys.exit(str(error))
