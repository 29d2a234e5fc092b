import numpy as np
import pytest

from edgeface.shm.reader import ReadFrame


@pytest.fixture(scope="session")
def spoken(built_pipeline, clips):
    """18 s of a talker, as `Reader` gives them."""
    built_pipeline.reset()
    samples = (clips["samples"][:6].reshape(-1) / 32768.0).astype(np.float32)
    frames = built_pipeline.accept(samples) + built_pipeline.finish()
    return [
        ReadFrame(
            frame.index,
            640 * frame.index,
            0,
            0,
            frame.flags,
            frame.rms_dbfs,
            frame.f0_hz,
            frame.landmarks,
            frame.blendshapes,
        )
        for frame in frames
    ]
