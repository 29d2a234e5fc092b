"""Reads frames as a renderer does; needs nothing but numpy."""

import os
import stat
import struct
import time
import zlib
from typing import Any, Dict, Iterator, NamedTuple, Optional

from ..core.clock import monotonic_ns
from . import layout
from .history import History
from .slot import ReadFrame, frame_of

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


class _Segment(NamedTuple):
    """A segment that is open for reading: its writer, and where things are in it."""

    file: int
    instance_id: int
    pid: int
    model_crc32: int
    header_size: int
    slot_stride: int
    slot_count: int
    slot_size: int  # of what this reader knows in a slot


class Reader:
    """Attaches to a segment by name and never disturbs its writer.

    A writer that is missing, dies or is restarted is no error: `read` returns None while
    there is nothing to show, and finds the next writer by itself. The renderer then shows
    its neutral face.

    The segment is read, not mapped: whatever its owner does with it, cutting it short
    included, no signal ends the renderer.

    :param name: name below /dev/shm
    :raises ValueError: it is no plain file name
    """

    def __init__(self, name: str = "edgeface"):
        self._path = layout.segment_path(name)
        self._segment: Optional[_Segment] = None
        self._instance_id = 0
        self._history = History()
        self.rejected = 0  # frames whose sequence or CRC did not fit
        self.attached = 0  # writers seen

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Detaches; the segment stays."""
        if self._segment is not None:
            os.close(self._segment.file)
            self._segment = None

    @property
    def alive(self) -> bool:
        """Whether there is a writer: attached, heartbeat within 500 ms, not stopped."""
        return self.header() is not None

    def header(self) -> Optional[Dict[str, int]]:
        """Live part of the header, pid, model_crc32 and instance_id; None without a writer."""
        for _ in range(2):  # the segment that is open, then the one that has taken its place
            segment = self._segment or self._attach()
            if segment is None:
                return None
            live = _live_part(segment)
            if live is not None:
                live["pid"] = segment.pid
                live["model_crc32"] = segment.model_crc32
                live["instance_id"] = segment.instance_id
                return live
            self.close()
        return None

    def read(self) -> Optional[ReadFrame]:
        """The newest whole frame; None without a live writer, or before its first frame."""
        for _ in range(_TRIES):
            header = self.header()
            if header is None or self._segment is None or header["latest"] == 0:
                return None
            frame = _read_slot(self._segment, header["latest"])
            if frame is not None:
                return frame
            self.rejected += 1
        return None

    def read_at(self, time_ns: int) -> Optional[ReadFrame]:
        """The face at a time, for a screen that is faster than 25 Hz: interpolated, never guessed.

        Motion is shown later than by `read`: by one frame, 40 ms, and by as much as the publishing
        jitters, at most one frame more. Before the first and after the last of the eight newest
        frames, those are shown.

        :param time_ns: CLOCK_MONOTONIC, usually now
        :return: landmarks, blendshapes, head and gaze at that time, and the other fields of the
            last frame that was reached; None without a live writer, or before its first frame
        """
        header = self.header()
        segment = self._segment
        if header is None or segment is None:
            return None
        history = self._history
        for number in history.missing(segment.instance_id, header["latest"], segment.slot_count):
            frame = _read_slot(segment, number)
            if frame is not None:
                history.add(frame)
        return history.at(time_ns)

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
            elif (self._instance_id, frame.index) != seen:
                seen = (self._instance_id, frame.index)
                lost = False
                yield frame
            time.sleep(poll_s)

    def _attach(self) -> Optional[_Segment]:
        segment = _open_segment(self._path)
        if segment is not None:
            self._segment = segment
            if segment.instance_id != self._instance_id:
                self.attached += 1
                self._instance_id = segment.instance_id
        return segment


def _open_segment(path: str) -> Optional[_Segment]:
    """Opens a segment; None where there is none that can be read."""
    try:
        # a named pipe in its place must not block
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(path, flags)
    except OSError:
        return None
    segment = None
    try:
        info = os.fstat(file)
        if stat.S_ISREG(info.st_mode):
            segment = _identify(file, info.st_size)
    except OSError:
        pass
    if segment is None:
        os.close(file)
    return segment


def _identify(file: int, size: int) -> Optional[_Segment]:
    """Checks the constant part of the header; later minor versions may have longer parts."""
    head = os.pread(file, layout.HEADER_CRC_OFFSET + _CRC32.size, 0)
    if len(head) < layout.HEADER_CRC_OFFSET + _CRC32.size:
        return None
    magic, major, minor, *fields = layout.HEADER.unpack_from(head, 0)
    header_size, slot_stride, slot_count = fields[:3]
    instance_id, _, pid, _, model_crc32 = fields[6:]
    slot_size = layout.SLOT_STRIDE if minor > 0 else layout.SLOT_SIZE_1_0
    (crc,) = _CRC32.unpack_from(head, layout.HEADER_CRC_OFFSET)
    valid = (
        magic == layout.MAGIC
        and major == layout.ABI_MAJOR
        and crc == zlib.crc32(head[: layout.HEADER_CRC_OFFSET])
        and tuple(fields[3:6]) == (layout.POINTS, layout.DIMS, layout.BLENDSHAPES)
        and header_size >= layout.HEADER_SIZE
        and slot_stride >= slot_size
        and header_size % _WORD.size == slot_stride % _WORD.size == 0
        and slot_count > 0
        and size >= header_size + slot_stride * slot_count
    )
    if not valid:
        return None
    return _Segment(
        file, instance_id, pid, model_crc32, header_size, slot_stride, slot_count, slot_size
    )


def _live_part(segment: _Segment) -> Optional[Dict[str, int]]:
    """The live part of the header; None where the writer does not live any more."""
    try:
        data = os.pread(segment.file, _LIVE.size, layout.LATEST)
    except OSError:
        return None
    if len(data) < _LIVE.size:
        return None
    live = dict(zip(_LIVE_FIELDS, _LIVE.unpack(data)))
    age_ns = monotonic_ns() - live["heartbeat_ns"]
    stopped = live["state"] == layout.STOPPED
    return None if stopped or age_ns >= layout.HEARTBEAT_TIMEOUT_NS else live


def _read_slot(segment: _Segment, number: int) -> Optional[ReadFrame]:
    """Frame number 1, 2, ...; None where its slot holds another one, or is being written."""
    start = segment.header_size + segment.slot_stride * ((number - 1) % segment.slot_count)
    try:
        slot = os.pread(segment.file, segment.slot_size, start)
        again = os.pread(segment.file, _WORD.size, start)
    except OSError:
        return None
    if len(slot) < segment.slot_size or again != slot[: _WORD.size]:
        return None
    (sequence,) = _WORD.unpack(again)
    (crc,) = _CRC32.unpack_from(slot, layout.SLOT_CRC_OFFSET)
    frame = frame_of(slot)
    if sequence != 2 * number or frame.index != number - 1 or crc != layout.slot_crc(slot):
        return None
    if segment.slot_size > layout.SLOT_SIZE_1_0:
        (crc,) = _CRC32.unpack_from(slot, layout.SLOT_LIFE_CRC_OFFSET)
        if crc != layout.slot_life_crc(slot):
            return None
    return frame
