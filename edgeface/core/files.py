"""Files: replaced as a whole or not at all, and recognised by their content."""

import contextlib
import hashlib
import os


@contextlib.contextmanager
def replacing(path, mode="wb", **options):
    """Opens a temporary file beside `path` that takes its place when the block ends well.

    A reader sees the old file or the new one, never a part. When the block fails, the
    temporary file is removed and `path` stays as it was.

    :param mode: `wb` or `w`; `options` as those of `open`
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


def sha256_of(path):
    """SHA-256 of a file's content, as hexadecimal str; OSError where it cannot be read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()
