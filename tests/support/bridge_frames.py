"""Frames for the tests of the bridges."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeface.motion.face import BLENDSHAPES
from edgeface.motion.frame import NO_GAZE, NO_HEAD, SPEECH
from edgeface.shm.reader import ReadFrame


def frame_of(shapes=None, flags=SPEECH, rms_dbfs=-20.0, head=NO_HEAD, gaze=NO_GAZE, **named):
    """A frame with these shapes: all 52, or some by name and the others 0."""
    values = np.zeros(len(BLENDSHAPES), np.float32) if shapes is None else np.float32(shapes)
    for name, value in named.items():
        values[BLENDSHAPES.index(name)] = value
    still = np.zeros((68, 3), np.float32)
    turned = np.float32(head), np.float32(gaze)
    return ReadFrame(0, 0, 0, 0, flags, rms_dbfs, 0.0, still, values, *turned)


def cleaned(frame):
    """The shapes as any receiver may see them, float32 [52]."""
    shapes = frame.blendshapes.copy()
    shapes[np.isnan(shapes)] = 0
    return np.minimum(np.maximum(shapes, np.float32(0)), np.float32(1))


# whatever 32 bits can hold, and what faces are made of
any_frame = st.builds(
    frame_of,
    arrays(np.float32, len(BLENDSHAPES), elements=st.floats(width=32) | st.floats(0, 1, width=32)),
    st.integers(0, 63),
    st.floats(width=32),
    arrays(np.float32, 6, elements=st.floats(width=32) | st.floats(-1, 1, width=32)),
    arrays(np.float32, 4, elements=st.floats(width=32) | st.floats(-1, 1, width=32)),
)
any_time = st.floats(0, 4e9)
