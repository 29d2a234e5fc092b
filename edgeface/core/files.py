"""Files: regular ones are read, replaced as a whole or not at all, and recognised by content."""

import contextlib
import errno
import hashlib
import os
import stat
from typing import IO, Any, BinaryIO, Iterator

from .errors import UnavailableError

_PIECE_BYTES = 1 << 20


def open_regular(path: str) -> BinaryIO:
    """Opens a regular file for reading, unbuffered, without waiting for anything.

    A named pipe that nobody writes, or a device, would make a reader wait for ever or never end.

    :raises OSError: it cannot be read, or is no regular file; `strerror` says so
    """
    _require_regular(os.stat(path), path)  # opening a device alone can have effects
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(descriptor), path)
        return open(descriptor, "rb", buffering=0)
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
    """Opens a temporary file beside `path` that takes its place when the block ends well.

    A reader sees the old file or the new one, never a part. When the block fails, the
    temporary file is removed and `path` stays as it was.

    :param mode: `wb` or `w`
    :param options: as those of `open`, such as `encoding`
    :raises OSError: the folder cannot be written
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, mode, **options) as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


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
