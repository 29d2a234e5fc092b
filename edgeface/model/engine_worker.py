"""The child of `engines.prepare`: builds the engines of one precision by running the bundled voice.

Arguments: BUNDLE LOOKAHEAD_MS FOLDER PROVIDER float32|float16.
"""

import os
import sys

import numpy as np

from ..pipeline import Pipeline
from ..source.file import read_whole
from .bundle import Bundle
from .runtime import open_session
from .stepper import Stepper

VOICE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "voice.flac")


def main(folder, lookahead_ms, target, provider, precision):
    """Leaves engines, and the landmarks that they compute, in `target`."""
    bundle, lookahead_ms = Bundle(folder), int(lookahead_ms)
    session = open_session(bundle.step_file(lookahead_ms), provider, cache=target, float16=precision == "float16")
    pipeline = Pipeline(Stepper(session, bundle.context_frames), lookahead_ms, blink=False)
    frames = pipeline.accept(read_whole(VOICE)) + pipeline.finish()
    np.save(os.path.join(target, "frames.npy"), np.array([frame.landmarks for frame in frames]))


if __name__ == "__main__":
    main(*sys.argv[1:])
