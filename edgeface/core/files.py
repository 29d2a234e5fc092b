"""Files: regular ones are read, replaced as a whole or not at all, and recognised by content."""

import contextlib
import errno
import hashlib
import os
import secrets
import select
import stat
import tempfile
from typing import IO, Any, BinaryIO, Dict, Iterator, Optional, Set

from .errors import UnavailableError

_PIECE_BYTES = 1 << 20
_NEW_FILE_MODE = 0o666  # less the umask
_PRIVATE_MODE = 0o600
_PATIENCE_S = 30.0  # for the reader of a pipe

_unfinished: Set[str] = set()  # temporary files that this process is writing


def open_regular(path: str) -> BinaryIO:
    """Opens a regular file for reading, without waiting for anything.

    A named pipe that nobody writes, or a device, would make a reader wait for ever or never end.

    :raises OSError: it cannot be read, or is no regular file; `strerror` says so
    """
    _require_regular(os.stat(path), path)  # opening a device alone can have effects
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(descriptor), path)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: str, most_bytes: int) -> bytes:
    """The content of a regular file of a bounded size.

    :raises OSError: it cannot be read, is no regular file, or is larger than that
    """
    with open_regular(path) as file:
        content = bytearray()
        while len(content) <= most_bytes:
            piece = file.read(min(_PIECE_BYTES, most_bytes + 1 - len(content)))
            if not piece:
                return bytes(content)
            content += piece
    raise OSError(errno.EFBIG, f"larger than {most_bytes} bytes", path)


def _require_regular(status: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file", path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)


@contextlib.contextmanager
def replacing(path: str, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """Opens a temporary file whose content is that of `path` when the block ends well.

    A regular file, new or old, is replaced as a whole: a reader sees the old one or the new one.
    Links are followed, and permissions and owner stay. A device or a pipe gets the content and
    stays what it is. When the block fails, the temporary file is removed and `path` stays as it
    was.

    :param mode: `wb` or `w`
    :param options: as those of `open`, such as `encoding`
    :raises OSError: the folder or the file cannot be written
    """
    try:
        old: Optional[os.stat_result] = os.stat(path)
    except FileNotFoundError:
        old = None
    target = os.path.realpath(path)
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if old is None or _is_same_regular(target, old):
        with _replacing_regular(target, old, mode, options) as file:
            yield file
        return
    with tempfile.NamedTemporaryFile(mode, **options) as file:
        yield file
        file.flush()
        _write_through(file.name, path)


def _is_same_regular(target: str, status: os.stat_result) -> bool:
    """Whether a regular file has a name; one behind /proc/self/fd may have lost its own."""
    try:
        return stat.S_ISREG(status.st_mode) and os.path.samestat(os.stat(target), status)
    except OSError:
        return False


@contextlib.contextmanager
def _replacing_regular(
    target: str, old: Optional[os.stat_result], mode: str, options: Dict[str, Any]
) -> Iterator[IO[Any]]:
    """`replacing` for what is a regular file, or is to become one."""
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    # a name that nobody can guess, and so nobody can occupy with a link
    temporary = os.path.join(os.path.dirname(target), f".edgeface-{secrets.token_hex(8)}.tmp")
    permissions = _NEW_FILE_MODE if old is None else _PRIVATE_MODE

    def create(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_EXCL | os.O_NOFOLLOW, permissions)

    file = open(temporary, mode, opener=create, **options)
    _unfinished.add(temporary)
    try:
        with file:
            yield file
            file.flush()
            if old is not None:
                _copy_permissions(file.fileno(), old)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        _unfinished.discard(temporary)


def remove_unfinished() -> None:
    """Removes what `replacing` has not finished, for a process that is about to end at once."""
    for temporary in list(_unfinished):
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _copy_permissions(descriptor: int, old: os.stat_result) -> None:
    """Gives a file owner, group and mode of another, as far as this user may."""
    kept = stat.S_IMODE(old.st_mode)
    try:
        os.fchown(descriptor, old.st_uid, old.st_gid)
    except PermissionError:
        kept &= 0o777  # no setuid for somebody else
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, -1, old.st_gid)
    os.fchmod(descriptor, kept)


def _write_through(source: str, path: str) -> None:
    """Writes the content of a file into a device or a pipe.

    :raises OSError: nobody reads the pipe, or the device does not take it
    """
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        with open(source, "rb") as file:
            for piece in iter(lambda: file.read(_PIECE_BYTES), b""):
                _write_all(descriptor, piece)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            if not select.select([], [descriptor], [], _PATIENCE_S)[1]:
                raise OSError(errno.ETIMEDOUT, "its reader does not read") from None


@contextlib.contextmanager
def output_file(path: str, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """`replacing` for a file that the user named.

    :raises UnavailableError: it cannot be written
    """
    try:
        with replacing(path, mode, **options) as file:
            yield file
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror or error}; choose another place") from None


def sha256_of(path: str) -> str:
    """SHA-256 of a regular file's content in hexadecimal.

    :raises OSError: it cannot be read, or is no regular file
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        for piece in iter(lambda: file.read(_PIECE_BYTES), b""):
            digest.update(piece)
    return digest.hexdigest()
