"""The evaluation as pictures."""

import matplotlib
import numpy as np

from edgeface.motion.face import MOUTH

from .corpus import lip_gap

matplotlib.use("Agg")
from matplotlib import pyplot


def _saved(figure, folder, name):
    figure.tight_layout()
    figure.savefig(str(folder / f"{name}.png"), dpi=100)
    pyplot.close(figure)


def plot_gaps(folder, clips, faces, correlations):
    """Predicted against tracked lip gap over time: the clips at the 10th, 50th and 90th percentile of correlation."""
    order = np.argsort(correlations)
    figure, rows = pyplot.subplots(3, 1, figsize=(8, 6), sharex=True, sharey=True)
    for axes, share in zip(rows, (0.1, 0.5, 0.9)):
        i = order[int(share * (len(order) - 1))]
        time_s = np.arange(len(faces[i])) / 25
        axes.plot(time_s, lip_gap(clips[i].landmarks), color="#888888", label="tracked")
        axes.plot(time_s, lip_gap(faces[i]), color="#c0504d", label="edgeface")
        axes.set_title(
            f"{clips[i].name}, r = {correlations[i]:.2f}; {100 * share:.0f} of 100 clips are worse",
            size=9,
        )
    rows[0].legend(fontsize=8)
    rows[1].set_ylabel("lip gap / distance of the eyes")
    rows[-1].set_xlabel("s")
    _saved(figure, folder, "gaps")


def plot_latency(folder, accuracy):
    """Correlations (gap, width) by look-ahead: `accuracy`, ms to both."""
    figure, axes = pyplot.subplots(figsize=(5, 3.2))
    for i, name in enumerate(("lip gap", "mouth width")):
        axes.plot(list(accuracy), [both[i] for both in accuracy.values()], "o-", label=name)
    axes.set(xlabel="look-ahead, ms", ylabel="mean correlation per clip", ylim=(0.8, 1.0))
    axes.legend()
    _saved(figure, folder, "latency")


def plot_speeds(folder, clips, faces):
    """Quantiles of the lips' speed: the talker's against edgeface's."""
    shares = np.linspace(50, 99.99, 300)
    figure, axes = pyplot.subplots(figsize=(5, 3.2))
    for name, tracks in (("tracked", [clip.landmarks for clip in clips]), ("edgeface", faces)):
        speed = np.concatenate(
            [np.linalg.norm(np.diff(f[:, MOUTH], axis=0), axis=-1).ravel() for f in tracks]
        )
        axes.plot(shares, np.percentile(speed, shares), label=name)
    axes.set(xlabel="quantile, %", ylabel="lip speed, distance of the eyes a frame")
    axes.legend()
    _saved(figure, folder, "speeds")
