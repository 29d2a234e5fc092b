"""What libraries write to stderr past Python, kept away from our one line."""

import contextlib
import ctypes
import io
import os
import sys
import tempfile
import threading
from typing import IO, Iterator

from .stdio import STDERR, WRITING

_LOCK = threading.Lock()
_WAIT_S = 1.0  # for a line that is being written
_silenced = False


def silence_libraries() -> None:
    """Points the C library's `stderr` at /dev/null, once.

    PortAudio, ALSA, JACK and libpulse print a dozen lines with it whenever a device cannot be
    opened, some of them from threads of their own, and only ALSA and JACK could be told not
    to; libmpg123 prints several for a damaged file. Descriptor 2 stays as it is: what Python,
    faulthandler and child processes write there still arrives.
    """
    global _silenced
    with _LOCK:
        if _silenced:
            return
        _silenced = True
        libc = ctypes.CDLL(None)
        try:
            stream = ctypes.c_void_p.in_dll(libc, "stderr")
        except ValueError:
            return  # not glibc: the chatter stays
        libc.fopen.restype = ctypes.c_void_p
        nowhere = libc.fopen(os.devnull.encode(), b"w")
        if nowhere:
            stream.value = nowhere


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Sends the process's stderr to /dev/null while the block runs: for the import of a library.

    It concerns all threads, so the block must be short and come before others write there.
    """
    with open(os.devnull, "wb") as nowhere, _stderr_is(nowhere):
        yield


@contextlib.contextmanager
def caught_output() -> Iterator[IO[str]]:
    """Catches what a library says while the block runs, for the one line that says what failed.

    That is what it writes to the process's stderr, and prints with Python. It concerns all
    threads; lines of a `LineWriter` wait until the block ends.

    :return: holds the text after the block, to be read from its beginning
    """
    said = io.StringIO()
    written = WRITING.acquire(timeout=_WAIT_S)
    try:
        with tempfile.TemporaryFile() as file:
            try:
                with contextlib.redirect_stdout(said), _stderr_is(file):
                    yield said
            finally:
                file.seek(0)
                said.write(file.read().decode("utf-8", "replace"))
                said.seek(0)
    finally:
        if written:
            WRITING.release()


@contextlib.contextmanager
def _stderr_is(file: IO[bytes]) -> Iterator[None]:
    try:
        kept = os.dup(STDERR)
    except OSError:  # it is closed: nothing to keep quiet
        yield
        return
    try:
        _flush()
        os.dup2(file.fileno(), STDERR)
        try:
            yield
        finally:
            _flush()
            os.dup2(kept, STDERR)
    finally:
        os.close(kept)


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
