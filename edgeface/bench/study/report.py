"""`Results` as Markdown, CSV and plots."""

import csv
import os

import numpy as np

from . import tables
from .measure import REGIONS


def render(header, rows):
    """A Markdown table, str."""

    def shown(value):
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return "-"
        return value if isinstance(value, str) else f"{value:.4g}"

    lines = ["| {} |".format(" | ".join(header)), "|{}|".format("|".join("---" for _ in header))]
    return "\n".join(lines + ["| {} |".format(" | ".join(map(shown, row))) for row in rows])


def parts(results):
    """(file name, title, (header, rows)) of everything."""
    return [
        ("table2", "Table 2: stages", tables.table2(results)),
        ("table3", "Table 3: speech encoders", tables.table3(results)),
        ("figure3", "Figures 3, 4: landmark motion", tables.figure3(results)),
        ("figure4", "Figures 3, 4: ONNX against PyTorch", tables.figure4(results)),
        ("figure5", "Figure 5: features", tables.figure5(results)),
        ("figure6", "Figure 6: size, and time on one clip", tables.figure6(results)),
        ("figure7", "Figure 7: power", tables.figure7(results)),
        ("datasheets", "Figure 7: data sheets", tables.data_sheets()),
        ("streaming", "Streaming", tables.streaming(results)),
    ]


def markdown(results, threads):
    """The whole report, str."""
    trained = ", ".join(sorted(results.trained)) or "none"
    lines = [
        "%d clips, %.1f s of sound (%.2f to %.2f s, mean %.2f), %d threads."
        % (
            len(results.lengths_s),
            results.lengths_s.sum(),
            results.lengths_s.min(),
            results.lengths_s.max(),
            results.lengths_s.mean(),
            threads,
        ),
        f"Trained weights: {trained}. Where weights are random, times are real and nothing is said of quality: motion and"
        " features then describe noise.",
        "",
    ]
    for _, title, (header, rows) in parts(results):
        lines += ["## " + title, "", render(header, rows), ""]
    if not results.watts:
        lines += ["No sensor measures power here.", ""]
    return (
        "\n".join(lines + ["## In words", ""] + ["- " + line for line in tables.verdicts(results)])
        + "\n"
    )


def save(folder, results, threads):
    """Writes study.md, a CSV for each table, and the plots."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "study.md"), "w") as file:
        file.write(markdown(results, threads))
    for name, _, (header, rows) in parts(results):
        with open(os.path.join(folder, name + ".csv"), "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
    _plot(folder, results)


def _plot(folder, results):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def saved(figure, name):
        figure.tight_layout()
        figure.savefig(os.path.join(folder, name + ".png"), dpi=110)
        pyplot.close(figure)

    def bars(axes, names, values, label):
        drawn = axes.barh(names[::-1], values[::-1], color="#4878a8")
        axes.bar_label(drawn, fmt="%.3g", padding=3, fontsize=8)
        axes.margins(x=0.15)
        axes.set(xlabel=label)

    header, rows = tables.table3(results)
    figure, axes = pyplot.subplots(figsize=(8, 4))
    bars(
        axes,
        [row[0] for row in rows],
        [row[3] for row in rows],
        "seconds of computing per second of sound",
    )
    saved(figure, "table3")

    header, rows = tables.figure3(results)
    figure, axes = pyplot.subplots(figsize=(8, 4))
    width = 0.8 / len(rows)
    for i, row in enumerate(rows):
        axes.bar(np.arange(len(REGIONS)) + i * width, row[1:], width, label=row[0])
    axes.set_xticks(np.arange(len(REGIONS)) + 0.4 - width / 2, list(REGIONS))
    axes.set(ylabel="px a frame on a face of 512 px", title="Landmark motion")
    axes.legend(fontsize=7)
    saved(figure, "figure3")

    figure, axes = pyplot.subplots(figsize=(8, 4))
    for name, features in results.values.items():
        values = features / features.std()
        line = axes.hist(
            values, bins=np.linspace(-4, 4, 120), density=True, histtype="step", label=name
        )[2][0]
        axes.axvline(values.mean(), color=line.get_edgecolor(), linestyle=":")
    axes.set(xlabel="feature / its deviation", ylabel="density", title="Features; dotted: means")
    axes.legend(fontsize=8)
    saved(figure, "figure5")

    header, rows = tables.figure6(results)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True)
    bars(left, [row[0] for row in rows], [row[1] for row in rows], "MB")
    bars(right, [row[0] for row in rows], [row[3] for row in rows], header[3])
    saved(figure, "figure6")

    if results.watts:
        header, rows = tables.figure7(results)
        rows = [row for row in rows if row[2]]
        figure, axes = pyplot.subplots(figsize=(8, 4))
        bars(axes, [row[0] for row in rows], [row[2] for row in rows], header[2])
        saved(figure, "figure7")
