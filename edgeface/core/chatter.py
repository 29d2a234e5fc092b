"""What libraries write to stderr past Python, kept away from our one line."""

import contextlib
import os
import sys
from typing import Iterator

_STDERR = 2


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Sends the process's stderr to /dev/null while the block runs: for the import of a library.

    It concerns all threads, so the block must be short and come before others write there.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # it is closed: nothing to keep quiet
        yield
        return
    try:
        _flush()
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        try:
            yield
        finally:
            _flush()
            os.dup2(kept, _STDERR)
    finally:
        os.close(kept)


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
