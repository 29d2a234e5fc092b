"""Keeps the chatter of C libraries about sound devices off stderr."""

import contextlib
import ctypes
import os
import threading
from typing import Iterator

_LOCK = threading.Lock()
_IMPORTING = threading.RLock()
_silenced = False


def silence_libraries() -> None:
    """Points the C library's `stderr` at /dev/null, once.

    PortAudio, ALSA, JACK and libpulse print a dozen lines with it whenever a device cannot be
    opened, some of them from threads of their own, and only ALSA and JACK could be told not
    to. Descriptor 2 stays as it is: what Python, faulthandler and child processes write there
    still arrives.
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
def descriptor_kept() -> Iterator[None]:
    """Keeps this thread from duplicating descriptor 2, as a first step to replacing it.

    While it is imported, sounddevice points descriptor 2 at /dev/null to hide the chatter: for
    a few seconds where the server hangs, and for all threads, whose lines would be lost.
    Where it cannot, it does without.
    """
    owner = threading.get_ident()

    def refuse(descriptor: int) -> int:
        if descriptor == 2 and threading.get_ident() == owner:
            raise OSError("descriptor 2 stays as it is")
        return duplicate(descriptor)

    with _IMPORTING:
        duplicate = os.dup
        os.dup = refuse
        try:
            yield
        finally:
            os.dup = duplicate
