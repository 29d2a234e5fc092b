"""Reads frames as a renderer does; needs nothing but numpy."""

import mmap
import os
import struct
import time
import zlib
from typing import Any, Dict, Iterator, NamedTuple, Optional

import numpy as np

from ..core.clock import monotonic_ns
from . import layout

_TRIES = 3
_POLL_S = 0.004
_WORD = struct.Struct("<Q")
_CRC32 = struct.Struct("<I")
_LIVE_FIELDS = (  # of the header, from `layout.LATEST` on
    "latest",
    "heartbeat_ns",
    "state",
    "dropped_samples",
    "source_restarts",
    "late_frames",
    "inference_errors",
    "latency_ns",
)
_LIVE = struct.Struct(f"<{len(_LIVE_FIELDS)}Q")
_SHAPE = (
    layout.HEADER_SIZE,
    layout.SLOT_STRIDE,
    layout.SLOT_COUNT,
    layout.POINTS,
    layout.DIMS,
    layout.BLENDSHAPES,
)


class ReadFrame(NamedTuple):
    """A frame as read; its fields are those of `docs/contract.md`, section 3."""

    index: int  # type: ignore[assignment]  # n = 0, 1, ... since the writer's start
    audio_sample: int
    audio_ns: int
    publish_ns: int
    flags: int
    rms_dbfs: float
    f0_hz: float
    landmarks: np.ndarray  # float32 [68, 3]
    blendshapes: np.ndarray  # float32 [52]


class _Identity(NamedTuple):
    """Which writer made a segment: the constant part of the header, as far as it is of use."""

    instance_id: int
    pid: int
    model_crc32: int


class Reader:
    """Attaches to a segment by name and never disturbs its writer.

    A writer that is missing, dies or is restarted is no error: `read` returns None while
    there is nothing to show, and finds the next writer by itself. The renderer then shows
    its neutral face.

    :param name: name below /dev/shm
    :raises ValueError: it is no plain file name
    """

    def __init__(self, name: str = "edgeface"):
        self._path = layout.segment_path(name)
        self._map: Optional[mmap.mmap] = None
        self._identity: Optional[_Identity] = None
        self.rejected = 0  # frames whose sequence or CRC did not fit
        self.attached = 0  # writers seen

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Detaches; the segment stays."""
        if self._map is not None:
            self._map.close()
            self._map = None

    @property
    def alive(self) -> bool:
        """Whether there is a writer: attached, heartbeat within 500 ms, not stopped."""
        return self._live_map() is not None

    def header(self) -> Optional[Dict[str, int]]:
        """Live part of the header, pid, model_crc32 and instance_id; None without a writer."""
        mapped = self._live_map()
        if mapped is None or self._identity is None:
            return None
        values = dict(zip(_LIVE_FIELDS, _LIVE.unpack_from(mapped, layout.LATEST)))
        values.update(self._identity._asdict())
        return values

    def read(self) -> Optional[ReadFrame]:
        """The newest whole frame; None without a live writer, or before its first frame."""
        mapped = self._live_map()
        if mapped is None:
            return None
        for _ in range(_TRIES):
            latest = _word(mapped, layout.LATEST)
            if latest == 0:
                return None
            start = layout.slot_offset(latest - 1)
            sequence = _word(mapped, start)
            slot = mapped[start : start + layout.SLOT_STRIDE]
            unchanged = sequence == _word(mapped, start) == 2 * latest
            frame = _frame(slot)
            (crc,) = _CRC32.unpack_from(slot, layout.SLOT_CRC_OFFSET)
            if unchanged and frame.index == latest - 1 and crc == layout.slot_crc(slot):
                return frame
            self.rejected += 1
        return None

    def frames(self, poll_s: float = _POLL_S) -> Iterator[Optional[ReadFrame]]:
        """Yields every new frame as it comes, for ever; None once whenever the writer is lost."""
        seen = None
        lost = False
        while True:
            frame = self.read()
            if frame is None:
                if not self.alive and not lost:
                    lost = True
                    yield None
            elif (self._identity, frame.index) != seen:
                seen = (self._identity, frame.index)
                lost = False
                yield frame
            time.sleep(poll_s)

    def _live_map(self) -> Optional[mmap.mmap]:
        """The segment of a writer that lives, attaching to a new one where that is needed."""
        if self._map is not None:
            if _is_live(self._map):
                return self._map
            self.close()
        mapped = self._attach()
        return mapped if mapped is not None and _is_live(mapped) else None

    def _attach(self) -> Optional[mmap.mmap]:
        mapped = _map_segment(self._path)
        if mapped is None:
            return None
        identity = _identify(mapped)
        if identity is None:
            mapped.close()
            return None
        if self._identity is None or identity.instance_id != self._identity.instance_id:
            self.attached += 1
        self._map = mapped
        self._identity = identity
        return mapped


def _word(mapped: mmap.mmap, offset: int) -> int:
    word: int = _WORD.unpack_from(mapped, offset)[0]
    return word


def _is_live(mapped: mmap.mmap) -> bool:
    age_ns = monotonic_ns() - _word(mapped, layout.HEARTBEAT_NS)
    stopped = _word(mapped, layout.STATE) == layout.STOPPED
    return age_ns < layout.HEARTBEAT_TIMEOUT_NS and not stopped


def _frame(slot: bytes) -> ReadFrame:
    number, sample, audio_ns, publish_ns, flags = layout.SLOT_INDEX.unpack_from(
        slot, layout.SLOT_INDEX_OFFSET
    )
    level_dbfs, f0_hz, _, _ = layout.SLOT_VALUES.unpack_from(slot, layout.SLOT_VALUES_OFFSET)
    points = layout.POINTS * layout.DIMS
    landmarks = np.frombuffer(slot, "<f4", points, layout.SLOT_LANDMARKS_OFFSET)
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
    )


def _map_segment(path: str) -> Optional[mmap.mmap]:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(file).st_size < layout.SEGMENT_SIZE:
            return None
        return mmap.mmap(file, layout.SEGMENT_SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
    except (OSError, ValueError):
        return None
    finally:
        os.close(file)


def _identify(mapped: mmap.mmap) -> Optional[_Identity]:
    """The writer of a segment; None where this is no segment that can be read."""
    magic, major, _, *fields = layout.HEADER.unpack_from(mapped, 0)
    shape = tuple(fields[:6])
    instance_id, _, pid, _, model_crc32 = fields[6:]
    (crc,) = _CRC32.unpack_from(mapped, layout.HEADER_CRC_OFFSET)
    valid = (
        magic == layout.MAGIC
        and major == layout.ABI_MAJOR
        and shape == _SHAPE
        and crc == zlib.crc32(mapped[: layout.HEADER_CRC_OFFSET])
    )
    return _Identity(instance_id, pid, model_crc32) if valid else None
