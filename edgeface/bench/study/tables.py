"""The study's tables and figures out of `Results`: rows of text and numbers."""

from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np
from scipy import stats

from ..budget import DEVICES
from .results import (
    BASE,
    DEFAULT,
    DEFAULT_KEY,
    FAST,
    LARGE,
    PICTURE_PX,
    REGIONS,
    STAGES,
    Results,
)

_NAN = float("nan")
_STUDY = (
    "the study's percentages refer to 674.06 s, the sum of its stages, not to the 787.7 s that it "
    "prints as the total"
)


class Table(NamedTuple):
    """`header`: names of the columns; `rows`: text, numbers, and None or nan for nothing."""

    header: Tuple[str, ...]
    rows: List[Tuple[Any, ...]]


def table2(results: Results) -> Table:
    """Time per stage, s for all clips."""
    before_s = {stage: results.before[stage].sum() for stage in STAGES}
    after_s = {stage: results.after[stage].sum() for stage in STAGES}
    before_total_s = sum(before_s.values())
    after_total_s = sum(after_s.values())
    rows: List[Tuple[Any, ...]] = []
    for stage in STAGES:
        before_percent = 100 * before_s[stage] / before_total_s
        after_percent = 100 * after_s[stage] / after_total_s
        rows.append((stage, before_s[stage], before_percent, after_s[stage], after_percent))
    rows.append(("all", before_total_s, 100.0, after_total_s, 100.0))
    rows.append((DEFAULT, before_total_s, 100.0, results.default_s, 100.0))
    return Table(("stage", "HuBERT large, PyTorch, s", "%", "FastHuBERT, ONNX, s", "%"), rows)


def table3(results: Results) -> Table:
    """Time of each encoder, and of edgeface's whole path."""
    rows = []
    for encoder, times in results.encoders:
        row = _encoder_row(results, encoder.title, times)
        rows.append((*row, encoder.open_s, encoder.first_s))
    rows.append((*_encoder_row(results, DEFAULT, results.default), _NAN, _NAN))
    header = (
        "encoder",
        "all clips, s",
        "median clip, ms",
        "real-time factor",
        "x HuBERT large",
        "x HuBERT base",
        "to open, s",
        "first run, s",
    )
    return Table(header, rows)


def _encoder_row(results: Results, title: str, times: np.ndarray) -> Tuple[Any, ...]:
    spent_s = times.sum()
    return (
        title,
        spent_s,
        1e3 * np.median(times),
        spent_s / results.sound_s,
        _baseline_s(results, LARGE) / spent_s,
        _baseline_s(results, BASE) / spent_s,
    )


def _baseline_s(results: Results, name: str) -> float:
    """Seconds that an encoder takes in PyTorch for all clips."""
    for encoder, times in results.encoders:
        if encoder.name == name and encoder.runtime.startswith("PyTorch"):
            return float(times.sum())
    raise KeyError(name)


def pixels(results: Results) -> float:
    """Pixels of a unit of the landmarks where the resting face's larger side is 512 pixels."""
    return PICTURE_PX / np.ptp(results.neutral[:, :2], axis=0).max()


def _motion(faces: List[np.ndarray], points: slice) -> np.ndarray:
    """Mean way of a landmark from frame to frame, by clip: float64 [clips]."""
    ways = [np.linalg.norm(np.diff(face[:, points], axis=0), axis=-1) for face in faces]
    return np.array([way.mean() for way in ways])


def figure3(results: Results) -> Table:
    """Figures 3 and 4: landmark motion by model and region, px a frame."""
    scale = pixels(results)
    rows = []
    for (name, runtime), faces in results.landmarks.items():
        if not faces:
            continue
        title = f"{name}, {runtime}" if runtime else name
        motion_px = [scale * _motion(faces, points).mean() for points in REGIONS.values()]
        rows.append((title, *motion_px))
    return Table(("model, px a frame", *REGIONS), rows)


def figure4(results: Results) -> Table:
    """Figures 3 and 4: ONNX against PyTorch, distance and motion of landmarks."""
    scale = pixels(results)
    rows = []
    for name in (LARGE, FAST):
        plain = _landmarks(results, name, "PyTorch")
        onnx = _landmarks(results, name, "ONNX")
        for region, points in [*REGIONS.items(), ("all", slice(0, 68))]:
            distances = [
                np.linalg.norm(a[:, points] - b[:, points], axis=-1).mean()
                for a, b in zip(plain, onnx)
            ]
            plain_motion = _motion(plain, points)
            onnx_motion = _motion(onnx, points)
            rows.append(
                (
                    name,
                    region,
                    scale * np.mean(distances),
                    scale * plain_motion.mean(),
                    scale * onnx_motion.mean(),
                    _wilcoxon_p(plain_motion, onnx_motion),
                )
            )
    header = (
        "encoder",
        "region",
        "apart, px",
        "motion in PyTorch, px",
        "in ONNX, px",
        "Wilcoxon p",
    )
    return Table(header, rows)


def _landmarks(results: Results, name: str, kind: str) -> List[np.ndarray]:
    """Landmarks behind an encoder in PyTorch or ONNX, whatever device it runs on."""
    for (encoder, runtime), faces in results.landmarks.items():
        if encoder == name and runtime.startswith(kind):
            return faces
    raise KeyError((name, kind))


def _wilcoxon_p(a: np.ndarray, b: np.ndarray) -> float:
    """Of the paired test; nan where there is nothing to test."""
    if len(a) < 2 or (a == b).all():
        return _NAN
    return stats.wilcoxon(a, b).pvalue


def figure5(results: Results) -> Table:
    """Features of each encoder."""
    rows = []
    for name, values in results.values.items():
        low, high = np.percentile(values, (1, 99))
        rows.append((name, values.mean(), values.std(), low, high))
    return Table(("encoder", "mean", "deviation", "1 %", "99 %"), rows)


def figure6(results: Results) -> Table:
    """Size of the file, and time on the long clip."""
    plain = {}
    for (name, runtime), run in results.long.items():
        if runtime.startswith("PyTorch"):
            plain[name] = run
    rows = []
    for (name, runtime), run in results.long.items():
        growth_percent = 100 * (run.bytes / plain[name].bytes - 1)
        speedup = plain[name].spent_s / run.spent_s
        rows.append((f"{name}, {runtime}", run.bytes / 1e6, growth_percent, run.spent_s, speedup))
    seconds = f"s on the {results.long_s:.1f} s clip"
    return Table(("encoder", "MB", "% against PyTorch", seconds, "times faster"), rows)


def figure7(results: Results) -> Table:
    """Sound per joule where power was measured."""
    rows = []
    for encoder, times in results.encoders:
        rate = results.sound_s / times.sum()
        rows.append((encoder.title, *_energy(results.watts.get(encoder.key), rate)))
    rate = results.sound_s / results.default.sum()
    rows.append((DEFAULT, *_energy(results.watts.get(DEFAULT_KEY), rate)))
    return Table(("encoder", "W above idle", "s of sound a joule", "J a minute of sound"), rows)


def _energy(
    watts: Optional[float], rate: float
) -> Tuple[Optional[float], Optional[float], Optional[float]]:
    """W, s of sound a joule and J a minute of sound.

    :param rate: seconds of sound that are computed in a second
    """
    if not watts:
        return watts, None, None
    return watts, rate / watts, 60 * watts / rate


def data_sheets() -> Table:
    """Figure 7: peak of the GPU by watt."""
    rows = []
    for device in DEVICES.values():
        if device.watts:
            tflops_per_watt = device.gpu / device.watts / 1e3
            rows.append((device.title, device.gpu, device.watts, tflops_per_watt))
    return Table(("board", "GFLOPS float32", "W", "TFLOPS a W"), rows)


def streaming(results: Results) -> Table:
    """Latency and speed of streams, which the study lacks."""
    rows = []
    for name, stream in results.streams.items():
        rows.append((name, 1e3 * stream.latency_s, 1e3 * stream.frame_s, 1 / stream.frame_s))
    return Table(("stream", "algorithmic latency, ms", "ms a frame", "frames a second"), rows)


def verdicts(results: Results) -> List[str]:
    """The comparisons that the study draws, as sentences."""
    large_s = _baseline_s(results, LARGE)
    spent_s = {encoder.key: times.sum() for encoder, times in results.encoders}
    onnx_speedup = large_s / spent_s[FAST, "ONNX"]
    int8_speedup = large_s / spent_s[FAST, "ONNX int8"]
    before_s = sum(results.before[stage].sum() for stage in STAGES if stage != "batch preparation")
    apart_px = {row[:2]: row[2] for row in figure4(results).rows}[FAST, "all"]
    growth_percent = {row[0]: row[2] for row in figure6(results).rows}[f"{FAST}, ONNX"]
    return [
        f"FastHuBERT in ONNX is {onnx_speedup:.1f} times faster than HuBERT large in PyTorch, "
        f"8-bit {int8_speedup:.1f} times (cosine {results.cosine:.5f})",
        "edgeface's whole path with its default model is "
        f"{before_s / results.default_s:.0f} times faster than GeneFace++'s with HuBERT large "
        "without batch preparation",
        f"ONNX and PyTorch are {apart_px:.1e} px apart on a face of {PICTURE_PX} px behind "
        "FastHuBERT",
        f"converting FastHuBERT to ONNX changes its size by {growth_percent:+.2f} % "
        "(the study says -32.1 %)",
        _STUDY,
    ]
