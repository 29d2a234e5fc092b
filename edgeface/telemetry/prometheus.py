"""The newest log object and the counters as a text file for node_exporter's textfile collector."""

import contextlib
import os
import stat
import time
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ..core.files import replacing
from ..shm.layout import STATE_NAMES
from .numbers import fields, number, text

_PREFIX = "edgeface_"
_READABLE = 0o644  # whatever the service's umask is, for node_exporter is another user
_QUANTILES = (("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99"), ("max", "1"))
_Labels = Tuple[Tuple[str, str], ...]
_Samples = Iterable[Tuple[_Labels, Optional[float]]]


class _Gauge(NamedTuple):
    """A metric that has the name of a log key; `label` is that of the names within it."""

    key: str
    meaning: str
    label: str = ""


_GAUGES = (
    _Gauge("interval_s", "Time that the gauges cover, in seconds."),
    _Gauge("fps", "Frames published per second."),
    _Gauge("power_mw", "Mean power of a rail, in mW.", "rail"),
    _Gauge("power_total_mw", "Mean power of the board, in mW."),
    _Gauge("power_notes", "Health of the power source.", "note"),
    _Gauge("energy_known_s", "Time for which power was known, in seconds."),
    _Gauge("energy_gap_s", "Time without a power reading, in seconds."),
    _Gauge("j_per_audio_minute", "Energy per minute of audio, in J."),
    _Gauge("j_per_frame", "Energy per frame, in J."),
    _Gauge("temperatures_c", "Highest temperature, in degrees Celsius.", "sensor"),
    _Gauge("throttled", "Whether the processor was held back at any time."),
    _Gauge("cpu_percent", "Mean load of all cores."),
    _Gauge("gpu_percent", "Mean load of the GPU."),
    _Gauge("memory_mb", "Memory in use on the machine, in MiB."),
    _Gauge("own_memory_mb", "Resident memory of the daemon, in MB."),
)


class Counters(NamedTuple):
    """What rises from the start of the process; `joules` is None while power was never known."""

    started_s: float  # seconds since 1970
    frames: int
    dropped_samples: int
    source_restarts: int
    inference_errors: int
    late_frames: Dict[str, int]
    joules: Optional[float]


def metrics(values: Dict[str, Any], counters: Counters, now_s: float) -> str:
    """The text of the file; what is not known is left out.

    :param values: the newest log object
    :param now_s: seconds since 1970
    """
    lines: List[str] = []
    for name, kind, meaning, samples in _families(values, counters, now_s):
        known = [
            f"{_PREFIX}{name}{_braced(labels)} {float(value)!r}"
            for labels, value in samples
            if value is not None
        ]
        if known:
            lines.append(f"# HELP {_PREFIX}{name} {meaning}")
            lines.append(f"# TYPE {_PREFIX}{name} {kind}")
            lines += known
    return "\n".join(lines) + "\n"


def _families(
    values: Dict[str, Any], counters: Counters, now_s: float
) -> Iterator[Tuple[str, str, str, _Samples]]:
    """Name, type, help text and samples of each metric."""
    names = ("version", "provider", "power_source")
    versions = tuple((key, text(values.get(key), "none")) for key in names)
    yield "info", "gauge", "Version, and what computes and measures.", [(versions, 1)]
    meaning = "When this was written; a file that is older than the interval has no daemon."
    yield "timestamp_seconds", "gauge", meaning, [((), now_s)]
    yield "start_time_seconds", "gauge", "When the daemon started.", [((), counters.started_s)]
    states = [((("state", name),), int(values.get("state") == name)) for name in STATE_NAMES]
    yield "state", "gauge", "1 for the present state.", states
    yield from _counter_families(counters)
    latency = [
        ((("stage", stage), ("quantile", quantile)), number(values, "latency_ms", stage, name))
        for stage in fields(values, "latency_ms")
        for name, quantile in _QUANTILES
    ]
    yield "latency_ms", "gauge", "Time of a stage, in ms; quantile 1 is the longest.", latency
    for gauge in _GAUGES:
        yield gauge.key, "gauge", gauge.meaning, _samples(values, gauge)


def _counter_families(counters: Counters) -> Iterator[Tuple[str, str, str, _Samples]]:
    late = [((("cause", cause),), count) for cause, count in counters.late_frames.items()]
    for name, meaning, samples in (
        ("frames", "Frames published.", [((), counters.frames)]),
        (
            "dropped_samples",
            "Samples dropped because the machine was too slow.",
            [((), counters.dropped_samples)],
        ),
        ("source_restarts", "How often a source came back.", [((), counters.source_restarts)]),
        ("inference_errors", "Failures of the model.", [((), counters.inference_errors)]),
        ("late_frames", "Frames over 100 ms later than expected.", late),
        ("energy_joules", "Energy while power was known, in J.", [((), counters.joules)]),
    ):
        yield f"{name}_total", "counter", meaning, samples


def _samples(values: Dict[str, Any], gauge: _Gauge) -> _Samples:
    if gauge.label:
        return [
            (((gauge.label, name),), number(values, gauge.key, name))
            for name in fields(values, gauge.key)
        ]
    value = values.get(gauge.key)
    return [((), int(value) if isinstance(value, bool) else number(value))]


def _braced(labels: _Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{pairs}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


class MetricsFile:
    """The file, which is there as long as the daemon.

    :param path: of a file that is replaced as a whole
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._written = False

    def write(self, values: Dict[str, Any], counters: Counters) -> None:
        """Replaces the file at once.

        :raises OSError: it cannot be written
        """
        with replacing(self.path, "w", encoding="utf-8") as file:
            if not self._written:  # afterwards it keeps what an operator has made of it
                with contextlib.suppress(OSError):
                    os.fchmod(file.fileno(), _READABLE)
            file.write(metrics(values, counters, time.time()))
        self._written = True

    def remove(self) -> None:
        """Removes what was written: a daemon that is gone has no figures.

        :raises OSError: it cannot be removed
        """
        target = os.path.realpath(self.path)
        if self._written and stat.S_ISREG(os.stat(target).st_mode):
            os.unlink(target)
        self._written = False
