"""A segment that this process writes: made under a temporary name, put in its place in one step."""

import contextlib
import fcntl
import mmap
import os
import struct
import zlib

from ..core.clock import monotonic_ns
from . import layout


class Segment:
    """Allocates and fills a segment that nobody sees until `appear`.

    :param path: its place, below /dev/shm
    :param instance_id: tells readers that the writer started again
    :param model_crc32: identifies the model
    :param latency_ns: algorithmic latency
    :param mode: permission bits
    :param group_id: its group, -1 for the process's own
    :raises OSError: /dev/shm is full or cannot be written
    """

    def __init__(
        self,
        path: str,
        instance_id: int,
        model_crc32: int,
        latency_ns: int,
        mode: int,
        group_id: int,
    ) -> None:
        self.path = path
        self.instance_id = instance_id
        folder, name = os.path.split(path)
        _remove_leftovers(folder, name)
        # nobody can guess the name and take it first
        unique = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._temporary = os.path.join(folder, f".{name}.{unique}")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self._temporary, flags, 0o600)
        try:
            # held until the segment appears: a temporary file without it has no writer any more
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # allocates, so that a full /dev/shm is an error here and not a SIGBUS later
            os.posix_fallocate(file, 0, layout.SEGMENT_SIZE)
            if group_id != -1:
                os.fchown(file, -1, group_id)
            os.fchmod(file, mode)
            self._map = mmap.mmap(file, layout.SEGMENT_SIZE)
            self._inode = os.fstat(file).st_ino
        except OSError:
            os.close(file)
            os.unlink(self._temporary)
            raise
        self._file = file
        self.bytes = memoryview(self._map)
        # aligned 64-bit stores; struct.pack_into would show readers a moment of zeros
        self._words = self.bytes.cast("Q")
        self.bytes[:64] = _header(instance_id, model_crc32)
        self.store(layout.LATENCY_NS, latency_ns)

    def appear(self) -> None:
        """Takes its place, whatever was there; OSError where that is not allowed."""
        if not self._temporary:
            return
        self.heartbeat()
        os.rename(self._temporary, self.path)
        self._temporary = ""
        os.close(self._file)

    def is_in_place(self) -> bool:
        """Whether its name still leads to it."""
        try:
            return os.stat(self.path).st_ino == self._inode
        except OSError:
            return False

    def store(self, offset: int, value: int) -> None:
        """Stores an aligned u64."""
        self._words[offset // 8] = value

    def heartbeat(self) -> None:
        """Says that the writer lives."""
        self.store(layout.HEARTBEAT_NS, monotonic_ns())

    def close(self) -> None:
        """Marks it as stopped and removes its name, if that is still its own."""
        self.store(layout.STATE, layout.STOPPED)
        with contextlib.suppress(OSError):
            if self._temporary:
                os.unlink(self._temporary)
                os.close(self._file)
            elif self.is_in_place():
                os.unlink(self.path)
        self._words.release()
        self.bytes.release()
        self._map.close()


def _header(instance_id: int, model_crc32: int) -> bytes:
    fields = layout.HEADER.pack(
        layout.MAGIC,
        layout.ABI_MAJOR,
        layout.ABI_MINOR,
        layout.HEADER_SIZE,
        layout.SLOT_STRIDE,
        layout.SLOT_COUNT,
        layout.POINTS,
        layout.DIMS,
        layout.BLENDSHAPES,
        instance_id,
        monotonic_ns(),
        os.getpid(),
        layout.FRAME_RATE_MHZ,
        model_crc32,
    )
    return fields + struct.pack("<I", zlib.crc32(fields))


def _remove_leftovers(folder: str, name: str) -> None:
    """Deletes temporary files of writers that died before their segment appeared."""
    prefix = f".{name}."
    for entry in os.listdir(folder):
        if entry.startswith(prefix):
            with contextlib.suppress(OSError):  # of another user, or of a writer that lives
                _remove_unlocked(os.path.join(folder, entry))


def _remove_unlocked(path: str) -> None:
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(file)
