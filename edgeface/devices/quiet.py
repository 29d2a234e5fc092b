"""Keeps sounddevice from hiding the chatter of its libraries in a way that hides our lines, too."""

import contextlib
import os
import threading
from typing import Iterator

_IMPORTING = threading.RLock()


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
