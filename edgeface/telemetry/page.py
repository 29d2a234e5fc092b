"""One self-contained HTML page with plots (SVG) of the logs."""

import re
from datetime import datetime, timezone
from html import escape

from .report import fields, number, rows, text
from .tegrastats import TOTALS

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 860, 170, 56, 12, 24
_COLOURS = ("#3b7dd8", "#e08a2c", "#3fa66b", "#c2475d", "#8a63c9", "#5f7d8c", "#b0a030", "#d06ab0")
_STATES = {
    "running": "#3fa66b",
    "degraded": "#e0b02c",
    "waiting": "#e08a2c",
    "starting": "#8aa",
    "stopped": "#999",
}
_MOST_POINTS = 1500  # a year of minutes must not make a page of 100 MB

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 900px; color: #222; background: #fff; }
h1 { font-size: 1.5em; } h2 { margin-top: 2em; border-bottom: 1px solid #ddd; }
h3 { margin: 1.2em 0 .2em; font-size: 1em; }
table { border-collapse: collapse; } td, th { padding: .15em .9em .15em 0; text-align: right; }
td:first-child, th:first-child { text-align: left; color: #555; } svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: #666; } .key { margin-right: 1.2em; white-space: nowrap; }
.key i { display: inline-block; width: 14px; height: 3px; margin-right: 5px; vertical-align: middle; }
"""


def _clock(seconds, span):
    form = "%H:%M" if span < 36 * 3600 else "%d %b"
    return datetime.fromtimestamp(seconds, timezone.utc).strftime(form)


def _nice(value):
    """A round number not below `value`."""
    step = 10 ** (len(str(int(max(value, 1)))) - 1)
    return next(step * k for k in (1, 2, 3, 4, 5, 6, 8, 10) if step * k >= value)


def _frame(top, start, end, unit):
    """Axes, and functions from time and value to x and y."""

    def x(seconds):
        return _LEFT + (_WIDTH - _LEFT - 8) * (seconds - start) / max(1.0, end - start)

    def y(value):
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / top)

    parts = []
    for share in (0, 0.5, 1):
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y(top * share):.1f}" y2="{y(top * share):.1f}" stroke="#e4e4e4"/><text x="{_LEFT - 6}" y="{y(top * share) + 4:.1f}" text-anchor="end">{top * share:g}{unit}</text>'
        )
    for i in range(7):
        at = start + (end - start) * i / 6
        parts.append(
            f'<text x="{min(max(x(at), _LEFT + 12), _WIDTH - 24):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{_clock(at, end - start)}</text>'
        )
    return x, y, parts


def _thin(points):
    """At most `_MOST_POINTS` points, the largest of each stretch, so that peaks stay."""
    size = -(-len(points) // _MOST_POINTS)
    return [
        max(points[i : i + size], key=lambda p: -1 if p[1] is None else p[1])
        for i in range(0, len(points), size)
    ]


def lines_plot(series, start, end, unit, broken_s):
    """SVG of curves over time.

    :param series: list of (name, [(seconds, value or None)])
    :param broken_s: points further apart are not joined
    """
    values = [v for _, points in series for _, v in points if v is not None]
    if not values:
        return "<p>not known on this machine</p>"
    x, y, parts = _frame(_nice(max(values)), start, end, unit)
    for colour, (_, points) in zip(_COLOURS, series):
        path, last = [], None
        for seconds, value in _thin(points):
            if value is None:
                last = None
                continue
            join = last is not None and seconds - last <= broken_s * max(
                1, len(points) / _MOST_POINTS
            )
            path.append(f"{'L' if join else 'M'}{x(seconds):.1f} {y(value):.1f}")
            last = seconds
        parts.append(
            f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.4" stroke-linecap="round"/>'
        )
    keys = "".join(
        f'<span class="key"><i style="background:{colour}"></i>{escape(name)}</span>'
        for colour, (name, _) in zip(_COLOURS, series)
    )
    return f"<div>{keys}</div>{_svg(parts, _HEIGHT)}"


def _svg(parts, height):
    return f'<svg viewBox="0 0 {_WIDTH} {height}">{"".join(parts)}</svg>'


def state_plot(figures):
    """SVG of the states over time; white where the log has a hole, a red edge where the source was lost."""
    start, end = figures.from_s, figures.to_s
    x, _, _ = _frame(1, start, end, "")
    spans = []  # [state, throttled, from, to]
    for o in figures.objects:
        to = o["time_s"]
        begin = to - (number(o, "interval_s") or 0)
        key = (text(o.get("state")), o.get("throttled") is True)
        if spans and spans[-1][0] == key and begin - spans[-1][2] < 5 and to > spans[-1][2]:
            spans[-1][2] = to
        else:
            spans.append([key, begin, to])
    parts = []
    for (state, throttled), begin, to in spans:
        parts.append(
            f'<rect x="{x(begin):.1f}" y="6" width="{max(0.8, x(to) - x(begin)):.1f}" height="20" fill="{_STATES.get(state, "#bbb")}"/>'
        )
        if throttled:
            parts.append(
                f'<rect x="{x(begin):.1f}" y="28" width="{max(0.8, x(to) - x(begin)):.1f}" height="6" fill="#c2475d"/>'
            )
    for i in range(7):
        at = start + (end - start) * i / 6
        parts.append(
            f'<text x="{min(max(x(at), _LEFT + 12), _WIDTH - 24):.1f}" y="50" text-anchor="middle">{_clock(at, end - start)}</text>'
        )
    keys = "".join(
        f'<span class="key"><i style="background:{colour};height:9px"></i>{name}</span>'
        for name, colour in list(_STATES.items())[:3] + [("throttled", "#c2475d")]
    )
    return f"<div>{keys}</div>{_svg(parts, 54)}"


def histogram_plot(objects):
    """SVG of all end-to-end latencies, logarithmic counts."""
    counts = {}
    for o in objects:
        for edge in fields(o, "latency_bins_ms"):
            count = number(o, "latency_bins_ms", edge)
            if re.match(r"\d{1,7}$", edge) and count and count >= 1:
                counts[int(edge)] = counts.get(int(edge), 0) + int(count)
    if not counts:
        return "<p>no frames</p>"
    top = len(str(max(counts.values())))
    largest = max(max(counts) + 10, 200)
    parts, base = [], _HEIGHT - _BOTTOM
    for edge, count in sorted(counts.items()):
        height = (base - _TOP) * len_log(count) / top
        left = _LEFT + (_WIDTH - _LEFT - 8) * edge / largest
        parts.append(
            f'<rect x="{left:.1f}" y="{base - height:.1f}" width="{max(1.0, (_WIDTH - _LEFT - 8) * 10 / largest - 1):.1f}" height="{height:.1f}" fill="#3b7dd8"/>'
        )
    for power in range(top + 1):
        parts.append(
            f'<text x="{_LEFT - 6}" y="{base - (base - _TOP) * power / top + 4:.1f}" text-anchor="end">{"0" if power == 0 else str(10 ** (power - 1))}</text>'
        )
    for i in range(6):
        parts.append(
            f'<text x="{_LEFT + (_WIDTH - _LEFT - 30) * i / 5:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{largest * i / 5:.0f} ms</text>'
        )
    return _svg(parts, _HEIGHT)


def len_log(count):
    """1 for 1, 2 for 10, 3 for 100, and between."""
    return 1 + (len(str(count)) - 1) + (count / 10 ** (len(str(count)) - 1) - 1) / 9


def _names(objects, field):
    return sorted({name for o in objects for name in fields(o, field)})[: len(_COLOURS)]


def _machine(figures):
    objects, start, end = figures.objects, figures.from_s, figures.to_s
    broken_s = 2.5 * max(number(o, "interval_s") or 0 for o in objects)

    def series(*path):
        return [(o["time_s"], number(o, *path)) for o in objects]

    latency = [(name, series("latency_ms", "end_to_end", name)) for name in ("p50", "p95", "p99")]
    power = [("total", [(t, None if v is None else v / 1000) for t, v in series("power_total_mw")])]
    if set(TOTALS) & set(_names(objects, "power_mw")):
        power = []  # a rail that is the total already is drawn by its own name
    power += [
        (name, [(t, None if v is None else v / 1000) for t, v in series("power_mw", name)])
        for name in _names(objects, "power_mw")
    ]
    heat = [(name, series("temperatures_c", name)) for name in _names(objects, "temperatures_c")]
    return "".join(
        (
            f"<h2>{escape(figures.host)}</h2><h3>State</h3>",
            state_plot(figures),
            "<h3>Latency, capture to publishing</h3>",
            lines_plot(latency, start, end, " ms", broken_s),
            "<h3>How often each latency occurred</h3>",
            histogram_plot(objects),
            "<h3>Power</h3>",
            lines_plot(power[: len(_COLOURS)], start, end, " W", broken_s),
            "<h3>Temperature</h3>",
            lines_plot(heat, start, end, " C", broken_s),
        )
    )


def page(machines):
    """The page for several `report.Figures`, str."""
    heads = "".join(f"<th>{escape(m.host)}</th>" for m in machines)
    body = "".join(
        f"<tr><td>{escape(line[0][0])}</td>{''.join((f'<td>{escape(v)}</td>' for _, v in line))}</tr>"
        for line in zip(*[rows(m) for m in machines])
    )
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>edgeface report</title><style>{_STYLE}</style><h1>edgeface report</h1><table><tr><th></th>{heads}</tr>{body}</table>{"".join(map(_machine, machines))}</html>\n'
