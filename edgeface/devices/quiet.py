"""Keeps the chatter of C libraries about sound devices off stderr."""

import ctypes
import os
import threading

_LOCK = threading.Lock()
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
