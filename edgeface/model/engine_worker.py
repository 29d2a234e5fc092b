"""The child of `engines.prepare`: builds the engines of one precision by running the bundled voice.

Arguments: BUNDLE LOOKAHEAD_MS FOLDER PROVIDER float32|float16.
"""

import os
import sys

import numpy as np

from ..build import open_pipeline
from ..core.resources import BUNDLED_VOICE
from ..source.file import read_whole
from .bundle import Bundle


def main(folder, lookahead_ms, target, provider, precision):
    """Leaves engines, and the landmarks that they compute, in `target`."""
    pipeline = open_pipeline(
        Bundle(folder), int(lookahead_ms), provider, target, precision == "float16", blink=False
    )
    frames = pipeline.accept(read_whole(BUNDLED_VOICE)) + pipeline.finish()
    np.save(os.path.join(target, "frames.npy"), np.array([frame.landmarks for frame in frames]))


if __name__ == "__main__":
    main(*sys.argv[1:])
