"""One writer at a time: the lock that a segment's writer holds."""

import contextlib
import fcntl
import os
import tempfile

from ..core.errors import UnavailableError


def runtime_folder() -> str:
    """Folder for locks: the user's, systemd's, root's, or one in the temporary folder.

    :raises UnavailableError: none of them belongs to this user
    """
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if os.geteuid() == 0:
        folders = (folder, "/run/edgeface")
    else:
        folders = (os.environ.get("XDG_RUNTIME_DIR", ""), folder)
    for folder in folders:
        if folder and _is_usable(folder):
            return folder
    folder = os.path.join(tempfile.gettempdir(), f"edgeface-{os.geteuid()}")
    if _is_usable(folder) and os.lstat(folder).st_uid == os.geteuid():
        return folder
    raise UnavailableError(
        f"{folder}: does not belong to this user; set XDG_RUNTIME_DIR to a folder that does"
    )


def _is_usable(folder: str) -> bool:
    try:
        os.makedirs(folder, mode=0o755, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


class WriterLock:
    """An exclusive lock on the name of a segment, until `release` or the end of the process.

    :param name: name of the segment
    :raises UnavailableError: another writer holds it, or no folder for it can be written
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._path = os.path.join(runtime_folder(), f"{name}.lock")
        self._file = -1
        try:
            while not self._try():
                pass
        except BlockingIOError:
            self._close()
            raise UnavailableError(
                f"shared memory {name}: another edgeface writes it (lock {self._path}); stop that"
                " one or choose another name with --shm"
            ) from None
        except OSError as error:
            self._close()
            raise UnavailableError(
                f"shared memory {name}: {self._path}: {error.strerror}; set XDG_RUNTIME_DIR to a"
                " folder that this user can write"
            ) from None

    def _try(self) -> bool:
        """Locks the file; whether it still has its name, which its last owner may have removed."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self._path, flags, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            if os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                return True
        except FileNotFoundError:
            pass
        self._close()
        return False

    def release(self) -> None:
        """Lets the next writer in and leaves no file; may be called again."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
