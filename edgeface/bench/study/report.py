"""`Results` as Markdown, CSV and plots."""

import csv
import os
from typing import Any, List, NamedTuple

import numpy as np

from . import tables
from .results import REGIONS, Results
from .tables import Table


class Part(NamedTuple):
    """`name`: of the CSV file, without its suffix."""

    name: str
    title: str
    table: Table


def render(table: Table) -> str:
    """A table as Markdown."""
    lines = [_line(table.header), f"|{'|'.join('---' for _ in table.header)}|"]
    lines += [_line([_cell(value) for value in row]) for row in table.rows]
    return "\n".join(lines)


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or np.isnan(value):
        return "-"
    return f"{value:.4g}"


def parts(results: Results) -> List[Part]:
    """All tables and figures."""
    return [
        Part("table2", "Table 2: stages", tables.table2(results)),
        Part("table3", "Table 3: speech encoders", tables.table3(results)),
        Part("figure3", "Figures 3, 4: landmark motion", tables.figure3(results)),
        Part("figure4", "Figures 3, 4: ONNX against PyTorch", tables.figure4(results)),
        Part("figure5", "Figure 5: features", tables.figure5(results)),
        Part("figure6", "Figure 6: size, and time on one clip", tables.figure6(results)),
        Part("figure7", "Figure 7: power", tables.figure7(results)),
        Part("datasheets", "Figure 7: data sheets", tables.data_sheets()),
        Part("streaming", "Streaming", tables.streaming(results)),
    ]


def markdown(results: Results, threads: int) -> str:
    """The whole report."""
    lengths_s = results.lengths_s
    trained = ", ".join(sorted(results.trained)) or "none"
    lines = [
        f"{len(lengths_s)} clips, {results.sound_s:.1f} s of sound ({lengths_s.min():.2f} to "
        f"{lengths_s.max():.2f} s, mean {lengths_s.mean():.2f}), {threads} threads.",
        f"Trained weights: {trained}. Where weights are random, times are real and nothing is said "
        "of quality: motion and features then describe noise.",
        "",
    ]
    for part in parts(results):
        lines += [f"## {part.title}", "", render(part.table), ""]
    if not results.watts:
        lines += ["No sensor measures power here.", ""]
    lines += ["## In words", ""]
    lines += [f"- {verdict}" for verdict in tables.verdicts(results)]
    return "\n".join(lines) + "\n"


def save(folder: str, results: Results, threads: int) -> None:
    """Writes study.md, a CSV for each table, and the plots."""
    from . import plots

    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "study.md"), "w") as file:
        file.write(markdown(results, threads))
    for part in parts(results):
        with open(os.path.join(folder, f"{part.name}.csv"), "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(part.table.header)
            writer.writerows(part.table.rows)
    plots.save(folder, results, list(REGIONS))
