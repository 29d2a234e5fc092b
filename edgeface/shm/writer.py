"""Publishes frames: the only process that writes the segment."""

import ctypes
import fcntl
import mmap
import os
import struct
import time
import zlib

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError, UsageError
from . import layout
from .reader import Reader

_HEARTBEAT_S = 0.25  # a living writer's heart beats more often


def _full_fence():
    """A full memory fence for processors that reorder stores, where libatomic is installed.

    Without it readers are still safe: the CRC rejects what was reordered.
    """
    try:
        fence = ctypes.CDLL("libatomic.so.1").atomic_thread_fence
    except (OSError, AttributeError):
        return lambda: None
    return lambda: fence(5)  # memory_order_seq_cst


def runtime_folder():
    """Folder for the writer's lock: systemd's, root's, the user's, or one in /tmp of the user alone."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if not folder and os.geteuid() == 0:
        folder = "/run/edgeface"
    folder = folder or os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/edgeface-{os.geteuid()}"
    os.makedirs(folder, mode=0o755, exist_ok=True)
    return folder


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Writer:
    """Creates the segment and publishes frames in it.

    :param name: name below /dev/shm
    :param model_crc32: identifies the model
    :param latency_s: algorithmic latency in seconds
    :param mode: permission bits
    :param group_id: group of the segment, -1 for the process's own
    :raises UnavailableError: another writer lives, or /dev/shm is full or not writable
    :raises UsageError: the name is no plain name
    """

    def __init__(self, name, model_crc32, latency_s, mode=0o640, group_id=-1):
        try:
            self.path = layout.segment_path(name)
        except ValueError as error:
            raise UsageError(str(error)) from None
        self._fence = _full_fence()
        self._map = None
        self._arguments = (name, model_crc32, latency_s, mode, group_id)
        self._lock = self._take_lock(name)
        try:
            self._refuse_living_writer()
            self._create(*self._arguments)
        except OSError as error:
            self._release_lock()
            raise UnavailableError(
                f"shared memory {self.path}: {error.strerror}; make room in or get access to {layout.FOLDER}"
            ) from None
        except UnavailableError:
            self._release_lock()
            raise

    def _take_lock(self, name):
        path = os.path.join(runtime_folder(), f"{name}.lock")
        lock = None
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if lock is not None:
                os.close(lock)
            why = (
                "another edgeface writes it"
                if isinstance(error, BlockingIOError)
                else error.strerror
            )
            raise UnavailableError(
                f"shared memory {self.path}: {why} (lock {path}); stop the other one or choose another --shm"
            ) from None
        return lock

    def _refuse_living_writer(self):
        """A writer of another user keeps its lock in another folder, but its heart beats here."""
        with Reader(os.path.basename(self.path)) as reader:
            before = reader.header()
            if before is None or not _runs(before["pid"]):
                return
            time.sleep(_HEARTBEAT_S)
            now = reader.header()
        if now is not None and now["heartbeat_ns"] != before["heartbeat_ns"]:
            raise UnavailableError(
                f"shared memory {self.path}: process {now['pid']} writes it; stop it or choose another --shm"
            )

    def _create(self, name, model_crc32, latency_s, mode, group_id):
        self._remove_leftovers(name)
        self._published = 0
        self.instance_id = int.from_bytes(os.urandom(8), "little") | 1
        temporary = os.path.join(layout.FOLDER, f".{name}.{os.getpid()}")
        file = os.open(
            temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            # allocates, so that a full /dev/shm is an error here and not a SIGBUS later
            os.posix_fallocate(file, 0, layout.SEGMENT_SIZE)
            self._map = mmap.mmap(file, layout.SEGMENT_SIZE)
            self._bytes = memoryview(self._map)
            # aligned 64-bit stores; struct.pack_into would show readers a moment of zeros
            self._words = self._bytes.cast("Q")
            header = layout.HEADER.pack(
                layout.MAGIC,
                layout.ABI_MAJOR,
                layout.ABI_MINOR,
                layout.HEADER_SIZE,
                layout.SLOT_STRIDE,
                layout.SLOT_COUNT,
                layout.POINTS,
                layout.DIMS,
                layout.BLENDSHAPES,
                self.instance_id,
                monotonic_ns(),
                os.getpid(),
                layout.FRAME_RATE_MHZ,
                model_crc32,
            )
            self._bytes[:64] = header + struct.pack("<I", zlib.crc32(header))
            self.store(layout.LATENCY_NS, round(latency_s * 1e9))
            self.heartbeat()
            if group_id != -1:
                os.fchown(file, -1, group_id)
            os.fchmod(file, mode)
            os.rename(temporary, self.path)
            self._inode = os.fstat(file).st_ino
        except OSError:
            self._unmap()
            os.unlink(temporary)
            raise
        finally:
            os.close(file)

    @staticmethod
    def _remove_leftovers(name):
        """Deletes temporary files of writers that died before their rename."""
        prefix = f".{name}."
        for entry in os.listdir(layout.FOLDER):
            pid = entry[len(prefix) :]
            if entry.startswith(prefix) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                os.unlink(os.path.join(layout.FOLDER, entry))

    def store(self, offset, value):
        """Stores a u64 of the header's live part, such as `layout.STATE`."""
        self._words[offset // 8] = value

    def heartbeat(self):
        """Says that the writer lives; due at least every 200 ms."""
        self.store(layout.HEARTBEAT_NS, monotonic_ns())

    def publish(self, frame, audio_sample, audio_ns):
        """Publishes a `motion.frame.Frame`; returns the time of publication in ns.

        :param audio_sample: first sample of the sound that the frame shows
        :param audio_ns: when that sample was captured
        """
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
        slot[layout.SLOT_BLENDSHAPES_OFFSET :] = frame.blendshapes.tobytes()
        struct.pack_into("<I", slot, layout.SLOT_CRC_OFFSET, layout.slot_crc(slot))
        start = layout.slot_offset(n)
        self.store(start, 2 * n + 1)
        self._fence()
        self._bytes[start + 8 : start + layout.SLOT_STRIDE] = bytes(slot[8:])
        self._fence()
        self.store(start, 2 * n + 2)
        self._fence()
        self.store(layout.LATEST, n + 1)
        self.store(layout.HEARTBEAT_NS, publish_ns)
        self._published = n + 1
        return publish_ns

    def renew_if_deleted(self):
        """Creates the segment anew if somebody deleted or replaced it; returns whether that was so."""
        if self._is_ours():
            return False
        self.store(
            layout.STATE, layout.STOPPED
        )  # whoever still reads the old one looks for the new one
        self._unmap()
        try:
            self._create(*self._arguments)
        except OSError as error:
            raise UnavailableError(
                f"shared memory {self.path}: deleted, and not to be had again ({error.strerror})"
            ) from None
        return True

    def close(self):
        """Marks the segment stopped, removes its name and frees the lock; may be called again."""
        if self._lock is None:
            return
        if self._map is not None:
            self.store(layout.STATE, layout.STOPPED)
            if self._is_ours():
                os.unlink(self.path)
            self._unmap()
        self._release_lock()

    def _is_ours(self):
        try:
            return os.stat(self.path).st_ino == self._inode
        except OSError:
            return False

    def _unmap(self):
        if self._map is not None:
            self._words.release()
            self._bytes.release()
            self._map.close()
            self._map = None

    def _release_lock(self):
        os.close(self._lock)
        self._lock = None
