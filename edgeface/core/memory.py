"""Memory that is free, and that the C library would keep."""

import contextlib
import ctypes
import gc


def return_memory() -> None:
    """Gives the system back what a part left that was replaced or opened again.

    A sound device's stream and its callback refer to each other, so that Python finds them only
    now and then; and parts come and go in threads of their own, each with its own piece of the
    heap, which glibc would keep at its largest.
    """
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
