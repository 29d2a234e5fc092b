"""Plots of `Results`."""

import os
from typing import Any, List, Sequence

import matplotlib
import numpy as np

from . import tables
from .results import Results

matplotlib.use("Agg")
from matplotlib import pyplot

_COLOUR = "#4878a8"


def save(folder: str, results: Results, regions: List[str]) -> None:
    """Writes table3.png, figure3.png, figure5.png, figure6.png, and figure7.png if watts are known.

    :param regions: of the face, as figure 3 names them
    """
    _save(_speeds(results), folder, "table3")
    _save(_motion(results, regions), folder, "figure3")
    _save(_features(results), folder, "figure5")
    _save(_sizes(results), folder, "figure6")
    if results.watts:
        _save(_energy(results), folder, "figure7")


def _save(figure: Any, folder: str, name: str) -> None:
    figure.tight_layout()
    figure.savefig(os.path.join(folder, f"{name}.png"), dpi=110)
    pyplot.close(figure)


def _bars(axes: Any, names: Sequence[str], values: Sequence[float], label: str) -> None:
    """Horizontal bars, the first one on top, with their values."""
    drawn = axes.barh(names[::-1], values[::-1], color=_COLOUR)
    axes.bar_label(drawn, fmt="%.3g", padding=3, fontsize=8)
    axes.margins(x=0.15)
    axes.set(xlabel=label)


def _speeds(results: Results) -> Any:
    rows = tables.table3(results).rows
    figure, axes = pyplot.subplots(figsize=(8, 4))
    names = [row[0] for row in rows]
    factors = [row[3] for row in rows]
    _bars(axes, names, factors, "seconds of computing per second of sound")
    return figure


def _motion(results: Results, regions: List[str]) -> Any:
    rows = tables.figure3(results).rows
    figure, axes = pyplot.subplots(figsize=(8, 4))
    width = 0.8 / len(rows)
    places = np.arange(len(regions))
    for i, (name, *motion_px) in enumerate(rows):
        axes.bar(places + i * width, motion_px, width, label=name)
    axes.set_xticks(places + 0.4 - width / 2, regions)
    axes.set(ylabel="px a frame on a face of 512 px", title="Landmark motion")
    axes.legend(fontsize=7)
    return figure


def _features(results: Results) -> Any:
    figure, axes = pyplot.subplots(figsize=(8, 4))
    bins: Any = np.linspace(-4, 4, 120)
    for name, features in results.values.items():
        values = features / features.std()
        drawn: Any = axes.hist(values, bins=bins, density=True, histtype="step", label=name)
        outline = drawn[2][0]
        axes.axvline(values.mean(), color=outline.get_edgecolor(), linestyle=":")
    axes.set(xlabel="feature / its deviation", ylabel="density", title="Features; dotted: means")
    axes.legend(fontsize=8)
    return figure


def _sizes(results: Results) -> Any:
    table = tables.figure6(results)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True)
    names = [row[0] for row in table.rows]
    _bars(left, names, [row[1] for row in table.rows], "MB")
    _bars(right, names, [row[3] for row in table.rows], table.header[3])
    return figure


def _energy(results: Results) -> Any:
    table = tables.figure7(results)
    rows = [row for row in table.rows if row[2]]
    figure, axes = pyplot.subplots(figsize=(8, 4))
    _bars(axes, [row[0] for row in rows], [row[2] for row in rows], table.header[2])
    return figure
