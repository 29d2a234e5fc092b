"""Frames as the CSV that the Live Link Face app records, which Unreal, Maya and Blender import.

Nothing in it says the frame rate: importers take it for one of the app's, 30 or 60 a second, and
Unreal's decides by the largest frame number. So time codes count in 60ths here, with fractions.
"""

from typing import Iterator, Sequence

from ..core.rates import FRAME_RATE_HZ
from .face import BLENDSHAPES
from .frame import Frame
from .livelink import ANGLES, angles

_CODES_PER_S = 60
# as in the app's recordings: two pairs are the other way round than in its packets
_SWAPPED = {
    "jawLeft": "jawRight",
    "jawRight": "jawLeft",
    "mouthLeft": "mouthRight",
    "mouthRight": "mouthLeft",
}
_ORDER = [BLENDSHAPES.index(_SWAPPED.get(name, name)) for name in BLENDSHAPES]
_COUNT = len(BLENDSHAPES) + len(ANGLES)
_ROW = f"%s,{_COUNT}" + ",%.10f" * _COUNT + "\n"


def livelink_csv(frames: Sequence[Frame]) -> Iterator[str]:
    """The lines of the file, of frames in any number."""
    names = [BLENDSHAPES[i][0].upper() + BLENDSHAPES[i][1:] for i in _ORDER]
    yield ",".join(["Timecode", "BlendShapeCount", *names, *ANGLES]) + "\n"
    for frame in frames:
        values = frame.blendshapes[_ORDER].tolist() + angles(frame.head, frame.gaze)
        yield _ROW % (_time_code(frame.index), *values)


def _time_code(index: int) -> str:
    """HH:MM:SS:FF.mmm of a frame's start."""
    seconds, rest = divmod(index, FRAME_RATE_HZ)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    part = rest * _CODES_PER_S / FRAME_RATE_HZ
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{part:06.3f}"
