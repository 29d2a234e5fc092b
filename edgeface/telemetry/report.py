"""What the logs of one or more machines say: figures for a table and a page."""

import re
from datetime import datetime, timedelta, timezone
from typing import List, Optional, Sequence, Tuple

from ..core.errors import UsageError
from ..core.rates import FRAME_RATE_HZ
from .numbers import Object, fields, number, text

Row = Tuple[str, str]  # name and value

_GAP_FACTOR = 2.5  # objects further apart than this many intervals leave a hole
_INTERVAL_S = 60.0  # of an object that does not say its own
_FRAMES_PER_MINUTE = 60 * FRAME_RATE_HZ
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_TIME_FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")


def parse_since(text: str, now_s: float) -> float:
    """`90m`, `24h`, `7d` before `now_s`, or an ISO date or time (UTC), as seconds since 1970.

    :raises UsageError: neither
    """
    match = re.match(r"(\d{1,6})([mhd])$", text)
    if match:
        ago = timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
        return now_s - ago.total_seconds()
    for form in _TIME_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            continue
    raise UsageError(f"--since {text}: not a time; use 90m, 24h, 7d or 2026-11-24T08:00")


def _known(objects: Sequence[Object], *path: str) -> List[float]:
    numbers = [number(o, *path) for o in objects]
    return [value for value in numbers if value is not None]


def _total(objects: Sequence[Object], *path: str) -> Optional[int]:
    """The sum of what is known; None where nothing is."""
    known = _known(objects, *path)
    return int(sum(known)) if known else None


def _interval_s(values: Object) -> float:
    return number(values, "interval_s") or 0.0


def holes(objects: Sequence[Object]) -> List[Tuple[float, float]]:
    """Spans without an object, (start, end) in seconds since 1970."""
    found = []
    for before, after in zip(objects, objects[1:]):
        start_s = after["time_s"] - (number(after, "interval_s") or _INTERVAL_S)
        usual_s = max(1.0, number(before, "interval_s") or _INTERVAL_S)
        if start_s - before["time_s"] > _GAP_FACTOR * usual_s:
            found.append((before["time_s"], start_s))
    return found


class Figures:
    """Figures of one machine over the time its objects cover; None is not known.

    :param objects: in order, at least one
    :param damaged: lines that could not be read
    """

    def __init__(self, objects: Sequence[Object], damaged: int = 0):
        self.objects = objects
        self.damaged = damaged
        self.host = text(objects[-1].get("host"))
        self._sum_up_time()
        self._sum_up_frames()
        self._sum_up_power()
        self._sum_up_health()

    def _sum_up_time(self) -> None:
        objects = self.objects
        intervals_s = _known(objects, "interval_s")
        covered_s = sum(intervals_s)
        self.hours = covered_s / 3600
        self.from_s: float = objects[0]["time_s"] - (intervals_s[0] if intervals_s else 0)
        self.to_s: float = objects[-1]["time_s"]
        self.uptime_percent = min(100.0, 100 * covered_s / max(1e-9, self.to_s - self.from_s))
        self.holes = holes(objects)
        processes = [o.get("pid") for o in objects]
        self.restarts = sum(a != b for a, b in zip(processes, processes[1:]))
        states_known = any(isinstance(o.get("state"), str) for o in objects)
        not_running_s = sum(_interval_s(o) for o in objects if o.get("state") != "running")
        self.not_running_min = not_running_s / 60 if states_known else None

    def _sum_up_frames(self) -> None:
        objects = self.objects
        covered_s = sum(_known(objects, "interval_s"))
        self.frames = _total(objects, "frames")
        self.fps = self.frames / covered_s if covered_s and self.frames is not None else None
        self.latency = {
            name: max(_known(objects, "latency_ms", "end_to_end", name), default=None)
            for name in ("p50", "p95", "p99", "max")
        }
        self.late = {
            cause: _total(objects, "late_frames", cause) for cause in ("capture", "ring", "compute")
        }
        self.dropped = _total(objects, "dropped_samples")
        self.source_restarts = _total(objects, "source_restarts")

    def _sum_up_power(self) -> None:
        objects = self.objects
        energies_j = _known(objects, "energy_j")
        known_s = sum(_known(objects, "energy_known_s"))
        with_energy = [o for o in objects if number(o, "energy_j") is not None]
        audio_min = sum(number(o, "frames") or 0 for o in with_energy) / _FRAMES_PER_MINUTE
        highest_mw = max(_known(objects, "power_total_mw"), default=None)
        joules = sum(energies_j)
        self.joules = joules if energies_j else None
        self.mean_w = joules / known_s if energies_j and known_s else None
        self.peak_w = None if highest_mw is None else highest_mw / 1000
        self.j_per_audio_minute = joules / audio_min if energies_j and audio_min else None

    def _sum_up_health(self) -> None:
        objects = self.objects
        celsius = [
            number(o, "temperatures_c", name)
            for o in objects
            for name in fields(o, "temperatures_c")
        ]
        self.hottest_c = max((value for value in celsius if value is not None), default=None)
        throttled_known = any(isinstance(o.get("throttled"), bool) for o in objects)
        throttled_s = sum(_interval_s(o) for o in objects if o.get("throttled") is True)
        self.throttled_min = throttled_s / 60 if throttled_known else None
        self.memory_mb = max(_known(objects, "own_memory_mb"), default=None)


def _show(value: Optional[float], digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M")


def rows(figures: Figures) -> List[Row]:
    """The figures of one machine by name, for table and page."""
    watt_hours = None if figures.joules is None else figures.joules / 3600
    late = "/".join(_show(figures.late[cause]) for cause in ("capture", "ring", "compute"))
    return [
        ("from", _stamp(figures.from_s)),
        ("to (UTC)", _stamp(figures.to_s)),
        ("covered, hours", _show(figures.hours, 1)),
        ("up, %", _show(figures.uptime_percent, 2)),
        ("holes in the log", str(len(figures.holes))),
        ("damaged lines", str(figures.damaged)),
        ("process restarts", str(figures.restarts)),
        ("source restarts", _show(figures.source_restarts)),
        ("frames", _show(figures.frames)),
        ("frames per second", _show(figures.fps, 2)),
        ("worst p50 of an interval, ms", _show(figures.latency["p50"])),
        ("worst p95, ms", _show(figures.latency["p95"])),
        ("worst p99, ms", _show(figures.latency["p99"])),
        ("longest, ms", _show(figures.latency["max"])),
        ("late frames: capture/ring/compute", late),
        ("dropped samples", _show(figures.dropped)),
        ("not running, minutes", _show(figures.not_running_min, 1)),
        ("mean power, W", _show(figures.mean_w, 2)),
        ("highest power, W", _show(figures.peak_w, 2)),
        ("energy, Wh", _show(watt_hours, 2)),
        ("J per minute of audio", _show(figures.j_per_audio_minute, 1)),
        ("hottest, C", _show(figures.hottest_c, 1)),
        ("throttled, minutes", _show(figures.throttled_min, 1)),
        ("largest memory, MB", _show(figures.memory_mb)),
    ]


def table(machines: Sequence[Figures]) -> str:
    """Text table of several machines, side by side."""
    names = [name for name, _ in rows(machines[0])]
    columns = [["", *names]]
    for figures in machines:
        columns.append([figures.host, *(value for _, value in rows(figures))])
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for name, *values in zip(*columns):
        cells = [name.ljust(widths[0])]
        cells += [value.rjust(width) for value, width in zip(values, widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
