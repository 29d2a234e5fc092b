"""Gathers everything once a second, and writes one log object an interval; a thread of its own."""

import logging
import os
import platform
import threading
import time

from .. import __version__
from ..core.rates import FRAME_RATE_HZ
from ..shm.layout import STATE_NAMES
from .energy import Energy
from .power import NoPower, find_power_source
from .prometheus import write_metrics
from .system import System

_LOG = logging.getLogger(__name__)
_PERIOD_S = 1.0
_RETRY_S = 60.0  # before a lost power source is looked for again


class _Mean:
    """Mean and maximum of named values that may be None."""

    def __init__(self):
        self._sums, self._counts, self.largest = {}, {}, {}

    def add(self, values):
        for name, value in values.items():
            self._sums.setdefault(name, 0.0)
            self._counts.setdefault(name, 0)
            if value is not None:
                self._sums[name] += value
                self._counts[name] += 1
                self.largest[name] = max(value, self.largest.get(name, value))

    def means(self):
        return {
            name: round(self._sums[name] / n, 1) if n else None for name, n in self._counts.items()
        }


class Recorder:
    """Telemetry of a running daemon.

    :param stats: a `daemon.stats.Stats`
    :param log: a `log.LogWriter`, or None
    :param interval_s: seconds a log object covers
    :param prometheus: path of a text file to renew, or ""
    :param power_source: of `power`; None looks for one
    """

    def __init__(
        self,
        stats,
        log,
        interval_s,
        prometheus="",
        power_source=None,
        system=None,
        clock=time.monotonic,
    ):
        self._stats, self._log, self._interval_s, self._prometheus = (
            stats,
            log,
            interval_s,
            prometheus,
        )
        self._power, self._system, self._clock = power_source, system or System(), clock
        self._search_again_s = None
        self._stop = threading.Event()
        self._thread = None
        self._energy = Energy()
        self._prometheus_failed = self._failed = False
        self._begin(self._clock(), self._counters())

    def start(self):
        """Starts the thread."""
        self._thread = threading.Thread(target=self._run, name="edgeface-telemetry", daemon=True)
        self._thread.start()

    def close(self):
        """Writes the last, shorter object, and ends."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
        if self._power is not None:
            self._power.close()
        if self._log is not None:
            self._log.close()

    def _run(self):
        while not self._stop.wait(_PERIOD_S):
            try:
                self.sample()
                if self._clock() - self._began_s >= self._interval_s:
                    self.flush()
            except Exception:  # the face must not notice; the journal must say so, once
                if not self._failed:
                    _LOG.exception("telemetry: seconds are being lost")
                self._failed = True
            else:
                self._failed = False
        self.flush()

    def _begin(self, now_s, counters):
        self._began_s, self._before = now_s, counters
        self._power_means, self._temperatures, self._loads = _Mean(), _Mean(), _Mean()
        self._throttled = None

    def _counters(self):
        stats = self._stats
        return {
            "frames": stats.published,
            "dropped_samples": stats.dropped_samples,
            "source_restarts": stats.source_restarts,
            "late": dict(stats.latency.late),
        }

    def sample(self):
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

    def _read_power(self):
        now = self._clock()
        if self._power is None or (
            self._search_again_s is not None and now >= self._search_again_s
        ):
            self._power, self._search_again_s = find_power_source(), None
        try:
            return self._power.read()
        except (OSError, ValueError) as error:
            _LOG.warning(
                "power source %s: %s; looked for again in %d s", self._power.name, error, _RETRY_S
            )
            self._power.close()
            self._power, self._search_again_s = NoPower(), now + _RETRY_S
            return self._power.read()

    def flush(self):
        """Writes the object of the time since the last one, and returns it."""
        # one look at clock and counters ends this object and begins the next: nothing falls between
        now_s, counters = self._clock(), self._counters()
        values = self.summary(now_s, counters)
        self._begin(now_s, counters)
        if self._log is not None:
            self._log.write(values)
        if self._prometheus:
            try:
                write_metrics(self._prometheus, values)
                self._prometheus_failed = False
            except OSError as error:
                if not self._prometheus_failed:
                    _LOG.warning("%s: %s", self._prometheus, error.strerror)
                self._prometheus_failed = True
        return values

    def summary(self, now_s, now):
        """The log object up to the time `now_s` with the counters `now`, dict; unknown values are None."""
        stats = self._stats
        passed_s = max(1e-9, now_s - self._began_s)
        before = self._before
        frames = now["frames"] - before["frames"]
        joules, known_s, gap_s = self._energy.take()
        summaries = {
            stage: histogram.take() for stage, histogram in stats.latency.histograms.items()
        }
        audio_min = frames / FRAME_RATE_HZ / 60
        loads = self._loads.means()
        return {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "time_s": round(time.time(), 1),
            "host": platform.node(),
            "version": __version__,
            "pid": os.getpid(),
            "interval_s": round(passed_s, 1),
            "state": STATE_NAMES[stats.state],
            "provider": stats.provider,
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
            "j_per_audio_minute": round(joules / audio_min, 2)
            if joules is not None and frames
            else None,
            "j_per_frame": round(joules / frames, 4) if joules is not None and frames else None,
            "temperatures_c": self._temperatures.largest or self._temperatures.means(),
            "throttled": self._throttled,
            "cpu_percent": loads.get("cpu"),
            "gpu_percent": loads.get("gpu"),
            "memory_mb": self._system.memory_mb(),
            "own_memory_mb": self._system.own_memory_mb(),
        }
