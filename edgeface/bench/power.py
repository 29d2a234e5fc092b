"""What the face costs in watts: the machine at rest against the machine with the daemon."""

import time
from typing import Any, Callable, Dict

import numpy as np

from ..core.errors import UnavailableError
from ..core.rates import FRAME_RATE_HZ


def mean_mw(source: Any, seconds: float, period_s: float = 1.0) -> float:
    """Mean of the total power over some seconds, mW.

    :param source: a power source of `telemetry.power`
    :raises UnavailableError: it has no reading
    """
    return mean_mw_during(source, seconds, lambda: time.sleep(period_s))


def mean_mw_during(source: Any, seconds: float, work: Callable[[], object]) -> float:
    """Mean of the total power while `work` is called again and again, mW; read after each call.

    :raises UnavailableError: it has no reading
    """
    readings = []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        work()
        total_mw = source.read().total_mw
        if total_mw is not None:
            readings.append(total_mw)
    if not readings:
        raise UnavailableError(
            f"power source {source.name}: no reading; "
            "`bench power` needs a Jetson, RAPL as root or nvidia-smi"
        )
    return float(np.mean(readings))


def costs(idle_mw: float, running_mw: float) -> Dict[str, float]:
    """Watts at rest and running, and joules that the face adds; by name."""
    added_w = (running_mw - idle_mw) / 1000
    return {
        "at rest, W": idle_mw / 1000,
        "with the face, W": running_mw / 1000,
        "the face, W": added_w,
        "the face, J a frame": added_w / FRAME_RATE_HZ,
        "the face, J per minute of audio": 60 * added_w,
    }
