"""Plots of log objects over time, as SVG."""

import math
import re
from datetime import datetime, timezone
from html import escape
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from . import svg
from .numbers import Object, fields, number, text
from .report import Figures

COLOURS = ("#3b7dd8", "#e08a2c", "#3fa66b", "#c2475d", "#8a63c9", "#5f7d8c", "#b0a030", "#d06ab0")
_BAR_COLOUR = COLOURS[0]
_GRID_COLOUR = "#e4e4e4"
_THROTTLED_COLOUR = "#c2475d"
_STATE_COLOURS = {
    "running": "#3fa66b",
    "degraded": "#e0b02c",
    "waiting": "#e08a2c",
    "starting": "#8aa",
    "stopped": "#999",
}
_UNKNOWN_COLOUR = "#bbb"
_STATES_IN_KEY = ("running", "degraded", "waiting")

_WIDTH = 860
_HEIGHT = 170
_STATE_HEIGHT = 54
_LEFT = 56
_RIGHT = 8
_TOP = 12
_BOTTOM = 24
_TICKS = 6
_THINNEST = 0.8  # a span shorter than a pixel is still seen

_MOST_POINTS = 1500  # a year of minutes must not make a page of 100 MB
_SHORT_SPAN_S = 36 * 3600  # up to here the axis shows hours, then days
_JOINED_S = 5.0  # objects of one state so close are one span
_BIN_MS = 10  # width of a bin of the log's `latency_bins_ms`

Point = Tuple[float, Optional[float]]  # seconds since 1970, value
Series = Tuple[str, Sequence[Point]]


class _TimeAxis:
    """Seconds since 1970 along the width of a plot."""

    def __init__(self, start_s: float, end_s: float):
        self._start_s = start_s
        self._span_s = end_s - start_s

    def x(self, seconds: float) -> float:
        share = (seconds - self._start_s) / max(1.0, self._span_s)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share

    def labels(self, y: float) -> List[str]:
        form = "%H:%M" if self._span_s < _SHORT_SPAN_S else "%d %b"
        parts = []
        for tick in range(_TICKS + 1):
            seconds = self._start_s + self._span_s * tick / _TICKS
            x = min(max(self.x(seconds), _LEFT + 12), _WIDTH - 24)
            stamp = datetime.fromtimestamp(seconds, timezone.utc).strftime(form)
            parts.append(svg.label(x, y, stamp))
        return parts


class _ValueAxis:
    """Values from 0 to a round number along the height of a plot."""

    def __init__(self, largest: float, unit: str):
        self._top = _round_up(largest)
        self._unit = unit

    def y(self, value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / self._top)

    def grid(self) -> List[str]:
        parts = []
        for share in (0, 0.5, 1):
            y = self.y(self._top * share)
            parts.append(svg.level_line(_LEFT, _WIDTH - _RIGHT, y, _GRID_COLOUR))
            parts.append(svg.label(_LEFT - 6, y + 4, f"{self._top * share:g}{self._unit}", "end"))
        return parts


def _round_up(value: float) -> int:
    """A round number that is not below `value`."""
    step: int = 10 ** (len(str(int(max(value, 1)))) - 1)
    return next(step * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10) if step * factor >= value)


def _key(entries: Sequence[Tuple[str, str]], style: str = "") -> str:
    """The names of a plot's colours; entries are (name, colour)."""
    swatches = [
        f'<span class="key"><i style="background:{colour}{style}"></i>{escape(name)}</span>'
        for name, colour in entries
    ]
    return f"<div>{''.join(swatches)}</div>"


def _thin(points: Sequence[Point]) -> List[Point]:
    """At most `_MOST_POINTS` points, the largest of each stretch, so that peaks stay."""
    size = -(-len(points) // _MOST_POINTS)
    stretches = [points[at : at + size] for at in range(0, len(points), size)]
    return [max(stretch, key=lambda p: -1 if p[1] is None else p[1]) for stretch in stretches]


def curves_plot(
    series: Sequence[Series], start_s: float, end_s: float, unit: str, broken_s: float
) -> str:
    """Curves over time.

    :param broken_s: points further apart are not joined
    """
    known = [value for _, points in series for _, value in points if value is not None]
    if not known:
        return "<p>not known on this machine</p>"
    time_axis = _TimeAxis(start_s, end_s)
    value_axis = _ValueAxis(max(known), unit)
    parts = value_axis.grid() + time_axis.labels(_HEIGHT - 6)
    for colour, (_, points) in zip(COLOURS, series):
        gap_s = broken_s * max(1, len(points) / _MOST_POINTS)
        commands = []
        last_s = None
        for seconds, value in _thin(points):
            if value is None:
                last_s = None
                continue
            joined = last_s is not None and seconds - last_s <= gap_s
            letter = "L" if joined else "M"
            commands.append(f"{letter}{time_axis.x(seconds):.1f} {value_axis.y(value):.1f}")
            last_s = seconds
        parts.append(svg.curve(commands, colour))
    key = _key([(name, colour) for colour, (name, _) in zip(COLOURS, series)])
    return key + svg.drawing(_WIDTH, _HEIGHT, parts)


class _Span(NamedTuple):
    """A time of one state."""

    state: str
    throttled: bool
    start_s: float
    end_s: float


def _state_spans(objects: Sequence[Object]) -> List[_Span]:
    spans: List[_Span] = []
    for o in objects:
        end_s = o["time_s"]
        start_s = end_s - (number(o, "interval_s") or 0)
        span = _Span(text(o.get("state")), o.get("throttled") is True, start_s, end_s)
        last = spans[-1] if spans else None
        if (
            last is not None
            and (last.state, last.throttled) == (span.state, span.throttled)
            and start_s - last.end_s < _JOINED_S
            and end_s > last.end_s
        ):
            spans[-1] = last._replace(end_s=end_s)
        else:
            spans.append(span)
    return spans


def state_plot(figures: Figures) -> str:
    """The states over time: white where the log has a hole, red below where it was throttled."""
    axis = _TimeAxis(figures.from_s, figures.to_s)
    parts = []
    for span in _state_spans(figures.objects):
        x = axis.x(span.start_s)
        width = max(_THINNEST, axis.x(span.end_s) - x)
        colour = _STATE_COLOURS.get(span.state, _UNKNOWN_COLOUR)
        parts.append(svg.rectangle(x, 6, width, 20, colour))
        if span.throttled:
            parts.append(svg.rectangle(x, 28, width, 6, _THROTTLED_COLOUR))
    parts += axis.labels(_STATE_HEIGHT - 4)
    entries = [(state, _STATE_COLOURS[state]) for state in _STATES_IN_KEY]
    entries.append(("throttled", _THROTTLED_COLOUR))
    return _key(entries, ";height:9px") + svg.drawing(_WIDTH, _STATE_HEIGHT, parts)


def histogram_plot(objects: Sequence[Object]) -> str:
    """All end-to-end latencies, with logarithmic counts."""
    counts = _latency_counts(objects)
    if not counts:
        return "<p>no frames</p>"
    decades = len(str(max(counts.values())))
    largest_ms = max(max(counts) + _BIN_MS, 200)
    base = _HEIGHT - _BOTTOM
    decade_height = (base - _TOP) / decades
    width = _WIDTH - _LEFT - _RIGHT
    parts = []
    for edge_ms, count in sorted(counts.items()):
        height = decade_height * _decades(count)
        bar_width = max(1.0, width * _BIN_MS / largest_ms - 1)
        x = _LEFT + width * edge_ms / largest_ms
        parts.append(svg.rectangle(x, base - height, bar_width, height, _BAR_COLOUR))
    for decade in range(decades + 1):
        shown = str(10 ** (decade - 1)) if decade else "0"
        parts.append(svg.label(_LEFT - 6, base - decade_height * decade + 4, shown, "end"))
    for tick in range(6):
        x = _LEFT + (_WIDTH - _LEFT - 30) * tick / 5
        parts.append(svg.label(x, _HEIGHT - 6, f"{largest_ms * tick / 5:.0f} ms"))
    return svg.drawing(_WIDTH, _HEIGHT, parts)


def _latency_counts(objects: Sequence[Object]) -> Dict[int, int]:
    """Frames per bin of all objects, by the bin's lower edge in ms."""
    counts: Dict[int, int] = {}
    for o in objects:
        for edge in fields(o, "latency_bins_ms"):
            count = number(o, "latency_bins_ms", edge)
            if re.match(r"\d{1,7}$", edge) and count and count >= 1:
                counts[int(edge)] = counts.get(int(edge), 0) + int(count)
    return counts


def _decades(count: int) -> float:
    """Height of a bar in decades: 1 for 1, 2 for 10, 3 for 100, so that a 1 is seen."""
    return 1 + math.log10(count)
