"""Files: replaced as a whole or not at all, and recognised by their content."""

import contextlib
import hashlib
import os
from typing import IO, Any, Iterator

from .errors import UnavailableError

_PIECE_BYTES = 1 << 20


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
    """SHA-256 of a file's content in hexadecimal.

    :raises OSError: it cannot be read
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(_PIECE_BYTES), b""):
            digest.update(piece)
    return digest.hexdigest()
