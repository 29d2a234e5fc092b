"""The evaluation as pictures."""

from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import matplotlib
import numpy as np

from edgeface.core.rates import FRAME_RATE_HZ
from edgeface.motion.face import MOUTH, lip_gap
from training.data.grid import Clip

matplotlib.use("Agg")
from matplotlib import pyplot

_SHARES = (0.1, 0.5, 0.9)  # of the clips that are worse than those shown


def _save(figure, folder: Path, name: str) -> None:
    figure.tight_layout()
    figure.savefig(str(folder / f"{name}.png"), dpi=100)
    pyplot.close(figure)


def plot_gaps(
    folder: Path, clips: List[Clip], faces: List[np.ndarray], correlations: Sequence[float]
) -> None:
    """Predicted against tracked lip gap over time: bad, middling and good clips by correlation."""
    order = np.argsort(correlations)
    figure, rows = pyplot.subplots(len(_SHARES), 1, figsize=(8, 6), sharex=True, sharey=True)
    for axes, share in zip(rows, _SHARES):
        at = order[int(share * (len(order) - 1))]
        time_s = np.arange(len(faces[at])) / FRAME_RATE_HZ
        axes.plot(time_s, lip_gap(clips[at].landmarks), color="#888888", label="tracked")
        axes.plot(time_s, lip_gap(faces[at]), color="#c0504d", label="edgeface")
        title = f"{clips[at].name}, r = {correlations[at]:.2f}"
        axes.set_title(f"{title}; {100 * share:.0f} of 100 clips are worse", size=9)
    rows[0].legend(fontsize=8)
    rows[1].set_ylabel("lip gap / distance of the eyes")
    rows[-1].set_xlabel("s")
    _save(figure, folder, "gaps")


def plot_latency(folder: Path, accuracy: Dict[int, Tuple[float, float]]) -> None:
    """Correlations (gap, width) by look-ahead in ms."""
    figure, axes = pyplot.subplots(figsize=(5, 3.2))
    for at, name in enumerate(("lip gap", "mouth width")):
        axes.plot(list(accuracy), [both[at] for both in accuracy.values()], "o-", label=name)
    axes.set(xlabel="look-ahead, ms", ylabel="mean correlation per clip", ylim=(0.8, 1.0))
    axes.legend()
    _save(figure, folder, "latency")


def plot_speeds(folder: Path, clips: List[Clip], faces: List[np.ndarray]) -> None:
    """Quantiles of the lips' speed: the talker's against edgeface's."""
    shares = np.linspace(50, 99.99, 300)
    figure, axes = pyplot.subplots(figsize=(5, 3.2))
    for name, tracks in (("tracked", [clip.landmarks for clip in clips]), ("edgeface", faces)):
        steps = [np.diff(track[:, MOUTH], axis=0) for track in tracks]
        speed = np.concatenate([np.linalg.norm(step, axis=-1).ravel() for step in steps])
        axes.plot(shares, np.percentile(speed, shares), label=name)
    axes.set(xlabel="quantile, %", ylabel="lip speed, distance of the eyes a frame")
    axes.legend()
    _save(figure, folder, "speeds")
