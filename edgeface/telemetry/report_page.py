"""One self-contained HTML page with a table and plots of the logs."""

from html import escape
from typing import List, Sequence

from .numbers import Object, fields, number
from .plots import COLOURS, Point, Series, curves_plot, histogram_plot, state_plot
from .report import Figures, rows
from .tegrastats import TOTALS

_BROKEN_INTERVALS = 2.5  # points further apart are not joined

_STYLE = """
body {
  font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 900px; color: #222;
  background: #fff;
}
h1 { font-size: 1.5em; }
h2 { margin-top: 2em; border-bottom: 1px solid #ddd; }
h3 { margin: 1.2em 0 .2em; font-size: 1em; }
table { border-collapse: collapse; }
td, th { padding: .15em .9em .15em 0; text-align: right; }
td:first-child, th:first-child { text-align: left; color: #555; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: #666; }
.key { margin-right: 1.2em; white-space: nowrap; }
.key i {
  display: inline-block; width: 14px; height: 3px; margin-right: 5px; vertical-align: middle;
}
"""


def report_page(machines: Sequence[Figures]) -> str:
    """The page for several machines."""
    heads = "".join(f"<th>{escape(figures.host)}</th>" for figures in machines)
    lines = []
    for line in zip(*[rows(figures) for figures in machines]):
        name = line[0][0]
        cells = "".join(f"<td>{escape(value)}</td>" for _, value in line)
        lines.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>edgeface report</title>'
        f"<style>{_STYLE}</style><h1>edgeface report</h1>"
        f"<table><tr><th></th>{heads}</tr>{''.join(lines)}</table>"
        f"{''.join(_machine(figures) for figures in machines)}</html>\n"
    )


def _machine(figures: Figures) -> str:
    objects = figures.objects
    longest_s = max(number(o, "interval_s") or 0 for o in objects)

    def plot(series: Sequence[Series], unit: str) -> str:
        broken_s = _BROKEN_INTERVALS * longest_s
        return curves_plot(series, figures.from_s, figures.to_s, unit, broken_s)

    latency = [
        (name, _points(objects, "latency_ms", "end_to_end", name)) for name in ("p50", "p95", "p99")
    ]
    temperatures = [
        (name, _points(objects, "temperatures_c", name))
        for name in _names(objects, "temperatures_c")
    ]
    return "".join(
        (
            f"<h2>{escape(figures.host)}</h2><h3>State</h3>",
            state_plot(figures),
            "<h3>Latency, capture to publishing</h3>",
            plot(latency, " ms"),
            "<h3>How often each latency occurred</h3>",
            histogram_plot(objects),
            "<h3>Power</h3>",
            plot(_power(objects), " W"),
            "<h3>Temperature</h3>",
            plot(temperatures, " C"),
        )
    )


def _power(objects: Sequence[Object]) -> List[Series]:
    """The total and the rails in W."""
    rails = _names(objects, "power_mw")
    series: List[Series] = []
    if not set(TOTALS) & set(rails):  # a rail that is the total is drawn by its own name
        series.append(("total", _watts(_points(objects, "power_total_mw"))))
    series += [(name, _watts(_points(objects, "power_mw", name))) for name in rails]
    return series[: len(COLOURS)]


def _points(objects: Sequence[Object], *path: str) -> List[Point]:
    return [(o["time_s"], number(o, *path)) for o in objects]


def _watts(points: Sequence[Point]) -> List[Point]:
    return [(time_s, None if value is None else value / 1000) for time_s, value in points]


def _names(objects: Sequence[Object], field: str) -> List[str]:
    """Names that occur in a part of the objects, as many as there are colours."""
    return sorted({name for o in objects for name in fields(o, field)})[: len(COLOURS)]
