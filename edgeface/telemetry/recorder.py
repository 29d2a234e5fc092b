"""Gathers everything once a second, and writes one log object an interval; a thread of its own."""

import contextlib
import logging
import os
import platform
import threading
import time
from typing import Any, Callable, Dict, Mapping, Optional

from .. import __version__
from ..core.clock import boot_id, since_boot_s
from ..core.rates import FRAME_RATE_HZ
from ..shm.layout import state_name
from .bridges import BridgeCounts, read_reports
from .energy import Energy
from .log import LogWriter
from .power import NoPower, PowerSource, Reading, find_power_source
from .prometheus import Counters, MetricsFile
from .system import System

_LOG = logging.getLogger(__name__)
_PERIOD_S = 1.0
_RETRY_S = 60.0  # before a power source is searched again
_JOIN_S = 5.0


class _Mean:
    """Mean and maximum of named values that may be None."""

    def __init__(self) -> None:
        self._sums: Dict[str, float] = {}
        self._counts: Dict[str, int] = {}
        self._largest: Dict[str, float] = {}

    def add(self, values: Mapping[str, Optional[float]]) -> None:
        for name, value in values.items():
            self._sums.setdefault(name, 0.0)
            self._counts.setdefault(name, 0)
            if value is not None:
                self._sums[name] += value
                self._counts[name] += 1
                self._largest[name] = max(value, self._largest.get(name, value))

    def means(self) -> Dict[str, Optional[float]]:
        return {
            name: round(self._sums[name] / n, 1) if n else None for name, n in self._counts.items()
        }

    def maxima(self) -> Dict[str, Optional[float]]:
        return {name: self._largest.get(name) for name in self._counts}


class Recorder:
    """Telemetry of a running daemon.

    :param stats: a `daemon.stats.Stats`
    :param log: where log objects go, if anywhere
    :param interval_s: seconds that a log object covers
    :param prometheus: path of a text file to renew, or ""
    :param power_source: None searches one
    :param clock: monotonic seconds
    """

    def __init__(
        self,
        stats: Any,
        log: Optional[LogWriter],
        interval_s: float,
        prometheus: str = "",
        power_source: Optional[PowerSource] = None,
        system: Optional[System] = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._stats = stats
        self._log = log
        self._interval_s = interval_s
        self._metrics = MetricsFile(prometheus) if prometheus else None
        self._metrics_failed = False
        self._power = power_source
        self._system = system or System()
        self._clock = clock
        self._search_again_s: Optional[float] = None
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._energy = Energy()
        self._bridges = BridgeCounts()
        self._joules: Optional[float] = None  # since the start
        self._started_s = self._clock()
        self._boot_id = boot_id()
        self._failed = False
        self._begin(self._clock(), self._counters())

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._run, name="edgeface-telemetry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Writes the last, shorter object, and ends."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        if self._power is not None:
            self._power.close()
        if self._log is not None:
            self._log.close()
        if self._metrics is not None:
            with contextlib.suppress(OSError):
                self._metrics.remove()

    def _run(self) -> None:
        if self._metrics is not None:  # state and counters are known now, the rest in an interval
            self._write_metrics(self._metrics, self._identity())
        while not self._stop.wait(_PERIOD_S):
            try:
                self.sample()
                if self._clock() - self._began_s >= self._interval_s:
                    self.flush()
            except Exception:  # the face must not notice; the journal must say so, once
                if not self._failed:
                    _LOG.exception("telemetry: nothing is recorded until this is fixed")
                self._failed = True
            else:
                self._failed = False
        self.flush()

    def _begin(self, now_s: float, counters: Dict[str, Any]) -> None:
        self._began_s = now_s
        self._before = counters
        self._power_means = _Mean()
        self._temperatures = _Mean()
        self._loads = _Mean()
        self._throttled: Optional[bool] = None

    def _counters(self) -> Dict[str, Any]:
        stats = self._stats
        return {
            "frames": stats.published,
            "dropped_samples": stats.dropped_samples,
            "source_restarts": stats.source_restarts,
            "late": dict(stats.latency.late),
        }

    def sample(self) -> None:
        """Reads all sensors once."""
        reading = self._read_power()
        self._energy.add(self._clock(), reading.total_mw)
        self._power_means.add(reading.power_mw)
        self._loads.add(
            {
                "total_mw": reading.total_mw,
                "cpu": self._system.cpu_percent(),
                "gpu": reading.gpu_percent,
            }
        )
        self._temperatures.add(reading.temperatures_c or self._system.temperatures_c())
        throttled = self._system.throttled()
        if throttled is not None:
            self._throttled = bool(self._throttled) or throttled

    def _read_power(self) -> Reading:
        now_s = self._clock()
        search = self._search_again_s is not None and now_s >= self._search_again_s
        if self._power is None or search:
            self._power = find_power_source()
            self._search_again_s = None
        try:
            return self._power.read()
        except (OSError, ValueError) as error:
            _LOG.warning(
                "power source %s: %s; searched again in %d s", self._power.name, error, _RETRY_S
            )
            self._power.close()
            self._power = NoPower()
            self._search_again_s = now_s + _RETRY_S
            return self._power.read()

    def flush(self) -> Dict[str, Any]:
        """Writes the object of the time since the last one, and returns it."""
        # one look at clock and counters ends this object and begins the next: nothing is lost
        now_s = self._clock()
        counters = self._counters()
        values = self.summary(now_s, counters)
        self._begin(now_s, counters)
        if self._log is not None:
            self._log.write(values)
        if self._metrics is not None:
            self._write_metrics(self._metrics, values)
        return values

    def _write_metrics(self, file: MetricsFile, values: Dict[str, Any]) -> None:
        stats = self._stats
        counters = Counters(
            time.time() - (self._clock() - self._started_s),
            stats.published,
            stats.dropped_samples,
            stats.source_restarts,
            stats.inference_errors,
            dict(stats.latency.late),
            self._joules,
        )
        try:
            file.write(values, counters)
            self._metrics_failed = False
        except OSError as error:
            if not self._metrics_failed:
                _LOG.warning(
                    "telemetry.prometheus: %s: %s; the face goes on, without metrics",
                    file.path,
                    error.strerror or error,
                )
            self._metrics_failed = True

    def _identity(self) -> Dict[str, Any]:
        stats = self._stats
        return {
            "version": __version__,
            "state": state_name(stats.state),
            "provider": stats.provider,
        }

    def summary(self, now_s: float, now: Dict[str, Any]) -> Dict[str, Any]:
        """The log object of the time up to `now_s`; what is not known is None.

        :param now: the counters at that time
        """
        stats = self._stats
        passed_s = max(1e-9, now_s - self._began_s)
        before = self._before
        frames = now["frames"] - before["frames"]
        joules, known_s, gap_s = self._energy.take()
        if joules is not None:
            self._joules = (self._joules or 0.0) + joules
        summaries = {
            stage: histogram.take() for stage, histogram in stats.latency.histograms.items()
        }
        audio_min = frames / FRAME_RATE_HZ / 60
        loads = self._loads.means()
        return {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "time_s": round(time.time(), 1),
            "host": platform.node(),
            "pid": os.getpid(),
            "interval_s": round(passed_s, 1),
            **self._identity(),
            "frames": frames,
            "fps": round(frames / passed_s, 2),
            "latency_ms": {stage: summary.as_ms() for stage, summary in summaries.items()},
            "latency_bins_ms": summaries["end_to_end"].bins_ms(),
            "dropped_samples": now["dropped_samples"] - before["dropped_samples"],
            "source_restarts": now["source_restarts"] - before["source_restarts"],
            "late_frames": {cause: n - before["late"][cause] for cause, n in now["late"].items()},
            "power_source": self._power.name if self._power is not None else None,
            "power_notes": self._power.notes() if self._power is not None else {},
            "power_mw": self._power_means.means(),
            "power_total_mw": loads.get("total_mw"),
            "energy_j": None if joules is None else round(joules, 2),
            "energy_known_s": round(known_s, 1),
            "energy_gap_s": round(gap_s, 1),
            "j_per_audio_minute": _ratio(joules, audio_min, 2),
            "j_per_frame": _ratio(joules, frames, 4),
            "temperatures_c": self._temperatures.maxima(),
            "throttled": self._throttled,
            "cpu_percent": loads.get("cpu"),
            "gpu_percent": loads.get("gpu"),
            "memory_mb": self._system.memory_mb(),
            "own_memory_mb": self._system.own_memory_mb(),
            "bridges": self._bridges.take(read_reports()),
            "boot_id": self._boot_id,
            "boot_s": round(since_boot_s(), 1),
        }


def _ratio(joules: Optional[float], count: float, digits: int) -> Optional[float]:
    return round(joules / count, digits) if joules is not None and count else None
