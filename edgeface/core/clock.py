"""Clocks that never step: CLOCK_MONOTONIC, the one of all processes, and the time since boot."""

import time
from typing import Callable, Optional

from .rates import SECOND_NS

_CLOCK_BOOTTIME = 7  # time.CLOCK_BOOTTIME needs Python 3.7
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def _monotonic_ns() -> int:
    return int(time.clock_gettime(time.CLOCK_MONOTONIC) * SECOND_NS)


monotonic_ns: Callable[[], int] = getattr(time, "monotonic_ns", _monotonic_ns)
"""Now in ns; Python 3.6 has no time.monotonic_ns."""


def since_boot_s() -> float:
    """Seconds since the boot, those in which the machine slept included."""
    return time.clock_gettime(_CLOCK_BOOTTIME)


def boot_id() -> Optional[str]:
    """What tells this boot from all others; None where the kernel does not say."""
    try:
        with open(_BOOT_ID) as file:
            return file.read().strip() or None
    except OSError:
        return None
