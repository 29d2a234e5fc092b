"""Publishes frames: the only process that writes the segment."""

import ctypes
import errno
import os
import platform
import struct
import time
from typing import Callable, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError, UsageError
from ..motion.frame import Frame
from . import layout
from .lock import WriterLock
from .reader import Reader
from .segment import Segment

_HEARTBEAT_S = 0.25  # a living writer's heart beats more often


class Writer:
    """Creates the segment and publishes frames in it.

    :param name: name below /dev/shm
    :param model_crc32: identifies the model
    :param latency_ns: algorithmic latency
    :param mode: permission bits
    :param group_id: group of the segment, -1 for the process's own
    :raises UsageError: the name is not a plain name
    """

    def __init__(
        self,
        name: str,
        model_crc32: int,
        latency_ns: int,
        mode: int = 0o640,
        group_id: int = -1,
    ) -> None:
        try:
            self.path = layout.segment_path(name)
        except ValueError as error:
            raise UsageError(str(error)) from None
        self.name = name
        self._model_crc32 = model_crc32
        self._latency_ns = latency_ns
        self._mode = mode
        self._group_id = group_id
        self._fence = _full_fence()
        self._lock: Optional[WriterLock] = None
        self._predecessor: Optional[Writer] = None
        self._segment: Optional[Segment] = None
        self._published = 0

    def __enter__(self) -> "Writer":
        self.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def instance_id(self) -> int:
        """Of the present segment, random; readers recognise a new one by it."""
        return self._ready().instance_id

    def prepare(self, predecessor: Optional["Writer"] = None) -> None:
        """Makes a segment that nobody sees yet: whatever can fail, fails here.

        :param predecessor: the writer that this one follows in the same process; the lock of a
            name that both have passes on with `open`
        :raises UnavailableError: another writer is alive, or /dev/shm is full or not writable
        """
        if predecessor is not None and predecessor.name == self.name:
            self._predecessor = predecessor
        else:
            self._lock = WriterLock(self.name)
        try:
            if self._lock is not None:
                self._refuse_living_writer()
            self._segment = self._make()
        except OSError as error:
            self.close()
            raise self._unavailable(error) from None
        except UnavailableError:
            self.close()
            raise

    def open(self) -> None:
        """Puts the segment in its place, in one step; prepares it where that was not done.

        :raises UnavailableError: as `prepare`
        """
        if self._segment is None:
            self.prepare()
        try:
            self._ready().appear()
        except OSError as error:
            unavailable = self._unavailable(error)
            self.close()
            raise unavailable from None
        if self._predecessor is not None:
            self._lock, self._predecessor._lock = self._predecessor._lock, None
            self._predecessor = None

    def store(self, offset: int, value: int) -> None:
        """Stores a u64 of the header's live part, such as `layout.STATE`."""
        self._ready().store(offset, value)

    def heartbeat(self) -> None:
        """Says that the writer lives; due at least every 200 ms."""
        self._ready().heartbeat()

    def publish(self, frame: Frame, audio_sample: int, audio_ns: int) -> int:
        """Publishes a frame; returns the time of publication in ns.

        :param audio_sample: first sample of the sound that the frame shows
        :param audio_ns: when that sample was captured
        """
        segment = self._ready()
        n = self._published
        slot = bytearray(layout.SLOT_STRIDE)
        publish_ns = monotonic_ns()
        layout.SLOT_INDEX.pack_into(
            slot, layout.SLOT_INDEX_OFFSET, n + 1, audio_sample, audio_ns, publish_ns, frame.flags
        )
        layout.SLOT_VALUES.pack_into(
            slot, layout.SLOT_VALUES_OFFSET, frame.rms_dbfs, frame.f0_hz, 0.0, 0
        )
        slot[layout.SLOT_LANDMARKS_OFFSET : layout.SLOT_BLENDSHAPES_OFFSET] = (
            frame.landmarks.tobytes()
        )
        slot[layout.SLOT_BLENDSHAPES_OFFSET : layout.SLOT_LIFE_OFFSET] = frame.blendshapes.tobytes()
        life = frame.head.tobytes() + frame.gaze.tobytes()
        slot[layout.SLOT_LIFE_OFFSET : layout.SLOT_LIFE_OFFSET + len(life)] = life
        struct.pack_into("<I", slot, layout.SLOT_CRC_OFFSET, layout.slot_crc(slot))
        struct.pack_into("<I", slot, layout.SLOT_LIFE_CRC_OFFSET, layout.slot_life_crc(slot))
        start = layout.slot_offset(n)
        segment.store(start, 2 * n + 1)
        self._fence()
        segment.bytes[start + 8 : start + layout.SLOT_STRIDE] = slot[8:]
        self._fence()
        segment.store(start, 2 * n + 2)
        self._fence()
        segment.store(layout.LATEST, n + 1)
        segment.store(layout.HEARTBEAT_NS, publish_ns)
        self._published = n + 1
        return publish_ns

    def renew_if_deleted(self) -> bool:
        """Creates the segment again if somebody deleted or replaced it.

        :return: whether that was so
        :raises UnavailableError: it cannot be created now; frames go on into the old one
        """
        if self._ready().is_in_place():
            return False
        with Reader(self.name) as reader:
            other = reader.header()
        if other is not None:
            raise self._written_by(other["pid"])
        try:
            segment = self._make()
        except OSError as error:
            raise self._unavailable(error) from None
        try:
            segment.appear()
        except OSError as error:
            segment.close()
            raise self._unavailable(error) from None
        # readers of the old segment look for the new one
        self._ready().close()
        self._segment = segment
        self._published = 0
        return True

    def close(self) -> None:
        """Marks the segment stopped, removes its name and frees the lock; may be called again."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _make(self) -> Segment:
        instance_id = int.from_bytes(os.urandom(8), "little") | 1
        return Segment(
            self.path,
            instance_id,
            self._model_crc32,
            self._latency_ns,
            self._mode,
            self._group_id,
        )

    def _ready(self) -> Segment:
        if self._segment is None:
            raise RuntimeError("the writer is not open")
        return self._segment

    def _unavailable(self, error: OSError) -> UnavailableError:
        owner = self._foreign_owner()
        if owner:
            fix = f"user {owner} has left a file there; remove it as root or as that user"
        elif error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT):
            fix = f"make room in {layout.FOLDER}"
        else:
            fix = f"get access to {layout.FOLDER}"
        return UnavailableError(f"shared memory {self.path}: {error.strerror}; {fix}")

    def _foreign_owner(self) -> str:
        """Who else owns what has the segment's name; "" where nobody does."""
        try:
            uid = os.lstat(self.path).st_uid
        except OSError:
            return ""
        return str(uid) if uid != os.geteuid() else ""

    def _refuse_living_writer(self) -> None:
        """A writer of another user has its lock in another folder, but its heart beats here.

        Only the heart counts: in another PID namespace its process cannot be seen.
        """
        with Reader(self.name) as reader:
            before = reader.header()
            if before is None:
                return
            time.sleep(_HEARTBEAT_S)
            now = reader.header()
        if now is not None and now["heartbeat_ns"] != before["heartbeat_ns"]:
            raise self._written_by(now["pid"])

    def _written_by(self, pid: int) -> UnavailableError:
        return UnavailableError(
            f"shared memory {self.path}: process {pid} writes it; stop that one or choose another"
            " name with --shm"
        )


def _full_fence() -> Callable[[], object]:
    """A full memory fence for processors that reorder stores, where libatomic is installed.

    Without it readers are still safe: the CRC rejects what was reordered.
    """
    if platform.machine() == "x86_64":  # which keeps stores in order
        return lambda: None
    try:
        fence = ctypes.CDLL("libatomic.so.1").atomic_thread_fence
    except (OSError, AttributeError):
        return lambda: None
    return lambda: fence(5)  # memory_order_seq_cst
