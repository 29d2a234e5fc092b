"""The newest frames of a writer, and the face at any time between them."""

from typing import Dict, List, Optional, Sequence

import numpy as np

from ..core.rates import FRAME_MS, MS_NS
from .layout import SLOT_COUNT
from .slot import ReadFrame

FRAME_NS = FRAME_MS * MS_NS


class History:
    """Keeps the last eight frames of one writer."""

    def __init__(self) -> None:
        self._frames: Dict[int, ReadFrame] = {}
        self._instance_id = 0

    def missing(self, instance_id: int, latest: int, slots: int) -> List[int]:
        """Numbers 1, 2, ... of the frames that a segment still holds and this does not.

        :param instance_id: of the segment; frames of another one are forgotten
        :param latest: number of the newest frame
        :param slots: number of slots of the segment
        """
        if instance_id != self._instance_id:
            self._instance_id = instance_id
            self._frames.clear()
        first = max(1, latest - min(slots, SLOT_COUNT) + 1)
        for number in [kept for kept in self._frames if not first <= kept <= latest]:
            del self._frames[number]
        return [number for number in range(first, latest + 1) if number not in self._frames]

    def add(self, frame: ReadFrame) -> None:
        """Keeps a frame that was missing."""
        self._frames[frame.index + 1] = frame

    def at(self, time_ns: int) -> Optional[ReadFrame]:
        """The face at a time, see `face_at`; None while there is no frame."""
        frames = [self._frames[number] for number in sorted(self._frames)]
        return face_at(frames, time_ns) if frames else None


def face_at(frames: Sequence[ReadFrame], time_ns: int) -> ReadFrame:
    """The face at a time, between two frames or at the first or last of them.

    Frames are 40 ms apart, whenever they were published: frame n is reached 40 ms, the time of one
    frame, after it was due, so that the next one is there to go on to. When frames are due is told
    by the times of publishing. The latest one of them counts, which covers a publisher that jitters
    regularly, but a single late frame does not, and no more than one frame's time is waited.

    :param frames: at least one, in their order
    :param time_ns: CLOCK_MONOTONIC
    :return: landmarks, blendshapes, head and gaze in between; all else is that of the last frame
        reached
    """
    late = sorted(frame.publish_ns - FRAME_NS * frame.index for frame in frames)
    due_ns = min(late[max(0, len(late) - 2)], late[0] + FRAME_NS)
    position_ns = time_ns - due_ns - FRAME_NS
    before = frames[0]
    for frame in frames:
        if FRAME_NS * frame.index > position_ns:
            return _between(before, frame, position_ns)
        before = frame
    return before


def _between(before: ReadFrame, after: ReadFrame, position_ns: int) -> ReadFrame:
    if after is before:  # the first frame is not reached yet
        return before
    passed_ns = position_ns - FRAME_NS * before.index
    share = np.float32(passed_ns / (FRAME_NS * (after.index - before.index)))
    return before._replace(
        landmarks=before.landmarks + share * (after.landmarks - before.landmarks),
        blendshapes=before.blendshapes + share * (after.blendshapes - before.blendshapes),
        head=before.head + share * (after.head - before.head),
        gaze=before.gaze + share * (after.gaze - before.gaze),
    )
