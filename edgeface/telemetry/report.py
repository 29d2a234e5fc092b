"""What the logs of one or more machines tell: figures for a table and a page."""

import re
from datetime import datetime, timedelta, timezone

from ..core.errors import UsageError

_GAP_FACTOR = 2.5  # lines further apart than this many intervals leave a hole


def parse_since(text, now):
    """`90m`, `24h`, `7d` before `now`, or an ISO date or time (UTC), as seconds since 1970.

    :raises UsageError: neither
    """
    match = re.match(r"(\d{1,6})([mhd])$", text)
    if match:
        unit = {"m": "minutes", "h": "hours", "d": "days"}[match.group(2)]
        return now - timedelta(**{unit: int(match.group(1))}).total_seconds()
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            continue
    raise UsageError(f"--since {text}: not a time; use 90m, 24h, 7d or 2026-11-24T08:00")


def number(value, *path):
    """A number deep in a log object (dict), or None for whatever else is there."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def text(value, default="?"):
    """A string of a log object, or the default for whatever else is there."""
    return value if isinstance(value, str) else default


def fields(values, name):
    """Names in a part of a log object (dict); none when there is something else."""
    part = values.get(name)
    return list(part) if isinstance(part, dict) else []


def _known(objects, *path):
    return [value for value in (number(o, *path) for o in objects) if value is not None]


def holes(objects):
    """Spans without a line: list of (start, end) in seconds since 1970."""
    found = []
    for before, after in zip(objects, objects[1:]):
        start = after["time_s"] - (number(after, "interval_s") or 60)
        if start - before["time_s"] > _GAP_FACTOR * max(1.0, number(before, "interval_s") or 60):
            found.append((before["time_s"], start))
    return found


class Figures:
    """Figures of one machine over the time its objects cover.

    :param objects: log objects in order, at least one
    :param damaged: lines that could not be read
    """

    def __init__(self, objects, damaged=0):
        self.objects, self.damaged = objects, damaged
        self.host = text(objects[-1].get("host"))
        covered = _known(objects, "interval_s")
        self.hours = sum(covered) / 3600
        self.from_s = objects[0]["time_s"] - (covered[0] if covered else 0)
        self.to_s = objects[-1]["time_s"]
        self.uptime_percent = min(100.0, 100 * sum(covered) / max(1e-9, self.to_s - self.from_s))
        self.frames = int(sum(_known(objects, "frames")))
        self.fps = self.frames / sum(covered) if sum(covered) else None
        self.latency = {
            name: max(_known(objects, "latency_ms", "end_to_end", name) or [0]) or None
            for name in ("p50", "p95", "p99", "max")
        }
        self.late = {
            cause: int(sum(_known(objects, "late_frames", cause)))
            for cause in ("capture", "ring", "compute")
        }
        self.dropped = int(sum(_known(objects, "dropped_samples")))
        self.source_restarts = int(sum(_known(objects, "source_restarts")))
        starts = [o.get("pid") for o in objects]
        self.restarts = sum(a != b for a, b in zip(starts, starts[1:]))
        self.joules = sum(_known(objects, "energy_j")) if _known(objects, "energy_j") else None
        known_s = sum(_known(objects, "energy_known_s"))
        self.mean_w = self.joules / known_s if self.joules is not None and known_s else None
        self.peak_w = max(_known(objects, "power_total_mw"), default=None)
        self.peak_w = None if self.peak_w is None else self.peak_w / 1000
        audio_min = (
            sum(number(o, "frames") or 0 for o in objects if number(o, "energy_j") is not None)
            / 1500
        )
        self.j_per_audio_minute = (
            self.joules / audio_min if self.joules is not None and audio_min else None
        )
        zones = [(o, name) for o in objects for name in fields(o, "temperatures_c")]
        celsius = [number(o, "temperatures_c", name) for o, name in zones]
        self.hottest_c = max([value for value in celsius if value is not None], default=None)
        self.throttled_min = (
            sum(number(o, "interval_s") or 0 for o in objects if o.get("throttled") is True) / 60
        )
        states = [(text(o.get("state")), number(o, "interval_s") or 0) for o in objects]
        self.not_running_min = sum(seconds for state, seconds in states if state != "running") / 60
        self.holes = holes(objects)
        self.memory_mb = max(_known(objects, "own_memory_mb"), default=None)


def _show(value, form="%.0f"):
    return "-" if value is None else form % value


def rows(figures):
    """(name, value as str) of one machine, for table and page."""
    f = figures
    stamp = [
        f"{datetime.fromtimestamp(s, timezone.utc).strftime('%Y-%m-%d %H:%M')}"
        for s in (f.from_s, f.to_s)
    ]
    return [
        ("from", stamp[0]),
        ("to (UTC)", stamp[1]),
        ("covered, hours", _show(f.hours, "%.1f")),
        ("up, %", _show(f.uptime_percent, "%.2f")),
        ("holes in the log", str(len(f.holes))),
        ("damaged lines", str(f.damaged)),
        ("process restarts", str(f.restarts)),
        ("source restarts", str(f.source_restarts)),
        ("frames", str(f.frames)),
        ("frames a second", _show(f.fps, "%.2f")),
        ("worst p50 of a line, ms", _show(f.latency["p50"])),
        ("worst p95, ms", _show(f.latency["p95"])),
        ("worst p99, ms", _show(f.latency["p99"])),
        ("longest, ms", _show(f.latency["max"])),
        (
            "late frames: capture/ring/compute",
            f"{f.late['capture']:.0f}/{f.late['ring']:.0f}/{f.late['compute']:.0f}",
        ),
        ("dropped samples", str(f.dropped)),
        ("not running, minutes", _show(f.not_running_min, "%.1f")),
        ("mean power, W", _show(f.mean_w, "%.2f")),
        ("highest power, W", _show(f.peak_w, "%.2f")),
        ("energy, Wh", _show(None if f.joules is None else f.joules / 3600, "%.2f")),
        ("J per minute of audio", _show(f.j_per_audio_minute, "%.1f")),
        ("hottest, C", _show(f.hottest_c, "%.1f")),
        ("throttled, minutes", _show(f.throttled_min, "%.1f")),
        ("largest memory, MB", _show(f.memory_mb)),
    ]


def table(machines):
    """Text table of several `Figures`, side by side."""
    columns = [[name for name, _ in rows(machines[0])]] + [
        [value for _, value in rows(m)] for m in machines
    ]
    heads = [""] + [m.host for m in machines]
    widths = [max(len(cell) for cell in [head] + column) for head, column in zip(heads, columns)]
    lines = [heads] + [list(cells) for cells in zip(*columns)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )
