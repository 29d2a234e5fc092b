"""Reads frames as a renderer does; needs nothing but numpy."""

import mmap
import os
import struct
import time
import zlib
from typing import NamedTuple

import numpy as np

from ..core.clock import monotonic_ns
from . import layout

_TRIES = 3
_WORD = struct.Struct("<Q")


class ReadFrame(NamedTuple):
    """A frame as read: see the contract, section 3; landmarks [68, 3], blendshapes [52]."""

    index: int  # n = 0, 1, ... since the writer's start
    audio_sample: int
    audio_ns: int
    publish_ns: int
    flags: int
    rms_dbfs: float
    f0_hz: float
    landmarks: np.ndarray
    blendshapes: np.ndarray


class Reader:
    """Attaches to a segment by name and never disturbs its writer.

    A writer that is not there yet, dies or starts anew is no error: `read`
    returns None while there is nothing to show, and finds the next writer by
    itself. The renderer then shows its neutral face.

    :param name: name below /dev/shm
    """

    def __init__(self, name="edgeface"):
        self._path = layout.segment_path(name)
        self._map = None
        self._identity = None
        self.rejected = 0  # frames whose sequence or CRC did not fit
        self.attached = 0  # writers seen

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Detaches; the segment stays."""
        if self._map is not None:
            self._map.close()
            self._map = None

    @property
    def alive(self):
        """Whether a writer is there: attached, heartbeat within 500 ms, not stopped."""
        if self._map is None and not self._attach():
            return False
        if self._fresh():
            return True
        self.close()
        return self._attach() and self._fresh()

    def header(self):
        """Live part of the header as a dict of ints, or None when there is no writer."""
        if not self.alive:
            return None
        names = (
            "latest",
            "heartbeat_ns",
            "state",
            "dropped_samples",
            "source_restarts",
            "late_frames",
            "inference_errors",
            "latency_ns",
        )
        values = dict(zip(names, struct.unpack_from("<8Q", self._map, layout.LATEST)))
        values["pid"], values["model_crc32"] = self._pid, self._model_crc32
        values["instance_id"] = self._identity
        return values

    def read(self):
        """The newest whole `ReadFrame`, or None when there is no live writer or no frame yet."""
        if not self.alive:
            return None
        for _ in range(_TRIES):
            latest = self._word(layout.LATEST)
            if latest == 0:
                return None
            start = layout.slot_offset(latest - 1)
            before = self._word(start)
            slot = self._map[start : start + layout.SLOT_STRIDE]
            after = self._word(start)
            index, sample, audio_ns, publish_ns, flags = layout.SLOT_INDEX.unpack_from(
                slot, layout.SLOT_INDEX_OFFSET
            )
            (crc,) = struct.unpack_from("<I", slot, layout.SLOT_CRC_OFFSET)
            if before == after == 2 * latest and index == latest and crc == layout.slot_crc(slot):
                level, f0_hz, _, _ = layout.SLOT_VALUES.unpack_from(slot, layout.SLOT_VALUES_OFFSET)
                landmarks = np.frombuffer(slot, "<f4", 204, layout.SLOT_LANDMARKS_OFFSET).reshape(
                    68, 3
                )
                blendshapes = np.frombuffer(slot, "<f4", 52, layout.SLOT_BLENDSHAPES_OFFSET)
                return ReadFrame(
                    index - 1,
                    sample,
                    audio_ns,
                    publish_ns,
                    flags,
                    level,
                    f0_hz,
                    landmarks,
                    blendshapes,
                )
            self.rejected += 1
        return None

    def frames(self, poll_s=0.004):
        """Yields every new frame as it comes, for ever; None once whenever the writer is lost."""
        seen, lost = None, False
        while True:
            frame = self.read()
            if frame is None:
                if not self.alive and not lost:
                    lost = True
                    yield None
            elif (self._identity, frame.index) != seen:
                seen, lost = (self._identity, frame.index), False
                yield frame
            time.sleep(poll_s)

    def _word(self, offset):
        return _WORD.unpack_from(self._map, offset)[0]

    def _fresh(self):
        age_ns = monotonic_ns() - self._word(layout.HEARTBEAT_NS)
        return age_ns < layout.HEARTBEAT_TIMEOUT_NS and self._word(layout.STATE) != layout.STOPPED

    def _attach(self):
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            if os.fstat(file).st_size < layout.SEGMENT_SIZE:
                return False
            mapped = mmap.mmap(file, layout.SEGMENT_SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
        except (OSError, ValueError):
            return False
        finally:
            os.close(file)
        fields = layout.HEADER.unpack_from(mapped, 0)
        (crc,) = struct.unpack_from("<I", mapped, layout.HEADER_CRC_OFFSET)
        shape = (
            layout.HEADER_SIZE,
            layout.SLOT_STRIDE,
            layout.SLOT_COUNT,
            layout.POINTS,
            layout.DIMS,
            layout.BLENDSHAPES,
        )
        if (
            fields[0] != layout.MAGIC
            or fields[1] != layout.ABI_MAJOR
            or fields[3:9] != shape
            or crc != zlib.crc32(mapped[: layout.HEADER_CRC_OFFSET])
        ):
            mapped.close()
            return False
        if fields[9] != self._identity:
            self.attached += 1
        self._map, self._identity = mapped, fields[9]
        self._pid, self._model_crc32 = fields[11], fields[13]
        return True
