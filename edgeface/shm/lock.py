"""One writer at a time: the lock that a segment's writer holds."""

import fcntl
import os
import tempfile

from ..core.errors import UnavailableError


def runtime_folder() -> str:
    """Folder for locks: that of systemd, root, or the user, or one in /tmp for the user alone."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if not folder and os.geteuid() == 0:
        folder = "/run/edgeface"
    folder = folder or os.environ.get("XDG_RUNTIME_DIR", "")
    if not (folder and _is_usable(folder)):
        folder = os.path.join(tempfile.gettempdir(), f"edgeface-{os.geteuid()}")
        os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


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
        self._file = -1
        try:
            path = os.path.join(runtime_folder(), f"{name}.lock")
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise UnavailableError(
                f"shared memory {name}: another edgeface writes it (lock {path}); stop that one or"
                " choose another name with --shm"
            ) from None
        except OSError as error:
            self.release()
            raise UnavailableError(
                f"shared memory {name}: {error.filename}: {error.strerror};"
                " set XDG_RUNTIME_DIR to a folder that this user can write"
            ) from None

    def release(self) -> None:
        """Lets the next writer in; may be called again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
