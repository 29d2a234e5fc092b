"""A frame as it lies in its slot."""

from typing import NamedTuple

import numpy as np

from ..motion.frame import NO_GAZE, NO_HEAD
from . import layout


class ReadFrame(NamedTuple):
    """A frame as read; its fields are those of `docs/contract.md`, section 3."""

    # n = 0, 1, ... since the writer's start; hides tuple.index, which nobody needs
    index: int  # type: ignore[assignment]
    audio_sample: int
    audio_ns: int
    publish_ns: int
    flags: int
    rms_dbfs: float
    f0_hz: float
    landmarks: np.ndarray  # float32 [68, 3]
    blendshapes: np.ndarray  # float32 [52]
    head: np.ndarray = NO_HEAD  # float32 [6]; zeros from a writer of ABI 1.0
    gaze: np.ndarray = NO_GAZE  # float32 [4]; zeros from a writer of ABI 1.0


def frame_of(slot: bytes) -> ReadFrame:
    """The frame in the bytes of a slot, which the caller has checked.

    :param slot: of ABI 1.1, or as short as one of 1.0
    """
    number, sample, audio_ns, publish_ns, flags = layout.SLOT_INDEX.unpack_from(
        slot, layout.SLOT_INDEX_OFFSET
    )
    level_dbfs, f0_hz, _, _ = layout.SLOT_VALUES.unpack_from(slot, layout.SLOT_VALUES_OFFSET)
    points = layout.POINTS * layout.DIMS
    landmarks = np.frombuffer(slot, "<f4", points, layout.SLOT_LANDMARKS_OFFSET)
    head, gaze = NO_HEAD, NO_GAZE
    if len(slot) > layout.SLOT_SIZE_1_0:
        values = np.frombuffer(slot, "<f4", len(head) + len(gaze), layout.SLOT_LIFE_OFFSET)
        head, gaze = values[: len(head)], values[len(head) :]
    return ReadFrame(
        index=number - 1,
        audio_sample=sample,
        audio_ns=audio_ns,
        publish_ns=publish_ns,
        flags=flags,
        rms_dbfs=level_dbfs,
        f0_hz=f0_hz,
        landmarks=landmarks.reshape(layout.POINTS, layout.DIMS),
        blendshapes=np.frombuffer(slot, "<f4", layout.BLENDSHAPES, layout.SLOT_BLENDSHAPES_OFFSET),
        head=head,
        gaze=gaze,
    )
