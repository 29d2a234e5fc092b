"""Frames as the JSON that Audio2Face exports, which add-ons for Blender, Maya and iClone import."""

import json
from typing import Iterator, Sequence

from ..core.rates import FRAME_RATE_HZ
from .face import BLENDSHAPES
from .frame import Frame

_DIGITS = 6  # after the point


def a2f_json(frames: Sequence[Frame]) -> Iterator[str]:
    """The text of the file, in pieces."""
    head = {
        "exportFps": float(FRAME_RATE_HZ),
        "numFrames": len(frames),
        "numPoses": len(BLENDSHAPES),
        "facsNames": BLENDSHAPES,
    }
    yield json.dumps(head)[:-1] + ', "weightMat": ['
    comma = "\n"
    for frame in frames:
        yield comma + json.dumps([round(weight, _DIGITS) for weight in frame.blendshapes.tolist()])
        comma = ",\n"
    yield "\n]}\n"
