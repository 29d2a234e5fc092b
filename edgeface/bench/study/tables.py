"""The study's tables and figures out of `measure.Results`: rows of text and numbers."""

import numpy as np
from scipy import stats

from ..budget import DEVICES
from .encoders import BASE, FAST, LARGE
from .measure import DEFAULT, PICTURE_PX, REGIONS, STAGES

_STUDY = (
    "the study's percentages refer to 674.06 s, the sum of its stages, not to the 787.7 s that it prints as the"
    " total"
)


def _baseline(results, name):
    return next(
        times
        for encoder, times in results.encoders
        if encoder.name == name and encoder.runtime.startswith("PyTorch")
    )


def table2(results):
    """Time per stage, s for all clips: (header, rows)."""
    before, after = results.stages
    totals = [sum(half[stage].sum() for stage in STAGES) for half in (before, after)]
    rows = [
        (
            stage,
            before[stage].sum(),
            100 * before[stage].sum() / totals[0],
            after[stage].sum(),
            100 * after[stage].sum() / totals[1],
        )
        for stage in STAGES
    ]
    rows.append(("all", totals[0], 100.0, totals[1], 100.0))
    rows.append(
        (DEFAULT, totals[0], 100.0, before["conversion"].sum() + results.default.sum(), 100.0)
    )
    return ("stage", "HuBERT large, PyTorch, s", "%", "FastHuBERT, ONNX, s", "%"), rows


def table3(results):
    """Time of each encoder: (header, rows)."""
    large, base, sound_s = (
        _baseline(results, LARGE),
        _baseline(results, BASE),
        results.lengths_s.sum(),
    )
    rows = [
        (
            encoder.name + ", " + encoder.runtime,
            times.sum(),
            1e3 * np.median(times),
            times.sum() / sound_s,
            large.sum() / times.sum(),
            base.sum() / times.sum(),
            encoder.open_s,
            encoder.first_s,
        )
        for encoder, times in results.encoders
    ]
    times = results.default
    rows.append(
        (
            DEFAULT,
            times.sum(),
            1e3 * np.median(times),
            times.sum() / sound_s,
            large.sum() / times.sum(),
            base.sum() / times.sum(),
            float("nan"),
            float("nan"),
        )
    )
    return (
        "encoder",
        "all clips, s",
        "median clip, ms",
        "real-time factor",
        "x HuBERT large",
        "x HuBERT base",
        "to open, s",
        "first run, s",
    ), rows


def pixels(results):
    """Pixels that a unit of the landmarks has where the larger side of the resting face is 512 pixels."""
    return PICTURE_PX / np.ptp(results.neutral[:, :2], axis=0).max()


def _motion(faces, region):
    """Mean way of a landmark from frame to frame, by clip: float [clips]."""
    return np.array(
        [np.linalg.norm(np.diff(face[:, region], axis=0), axis=-1).mean() for face in faces]
    )


def figure3(results):
    """Landmark motion by model and region, px a frame: (header, rows); figures 3 and 4."""
    scale = pixels(results)
    rows = [
        (
            ", ".join(filter(None, key)),
            *(scale * _motion(faces, points).mean() for points in REGIONS.values()),
        )
        for key, faces in results.landmarks.items()
        if faces
    ]
    return ("model, px a frame", *REGIONS), rows


def figure4(results):
    """ONNX against PyTorch: distance of landmarks in px, motion of both, and the paired test: (header, rows)."""
    scale, rows = pixels(results), []
    for name in (LARGE, FAST):
        plain, onnx = (
            next(
                faces
                for (n, runtime), faces in results.landmarks.items()
                if n == name and runtime.startswith(kind)
            )
            for kind in ("PyTorch", "ONNX")
        )
        for region, points in list(REGIONS.items()) + [("all", slice(0, 68))]:
            apart = np.array(
                [
                    np.linalg.norm(a[:, points] - b[:, points], axis=-1).mean()
                    for a, b in zip(plain, onnx)
                ]
            )
            moved = _motion(plain, points), _motion(onnx, points)
            # where nothing differs at all there is nothing to test
            test = (
                stats.wilcoxon(*moved).pvalue
                if len(plain) > 1 and (moved[0] != moved[1]).any()
                else float("nan")
            )
            rows.append(
                (
                    name,
                    region,
                    scale * apart.mean(),
                    scale * moved[0].mean(),
                    scale * moved[1].mean(),
                    test,
                )
            )
    return (
        "encoder",
        "region",
        "apart, px",
        "motion in PyTorch, px",
        "in ONNX, px",
        "Wilcoxon p",
    ), rows


def figure5(results):
    """Features of each encoder: (header, rows)."""
    return ("encoder", "mean", "deviation", "1 %", "99 %"), [
        (name, values.mean(), values.std()) + tuple(np.percentile(values, (1, 99)))
        for name, values in results.values.items()
    ]


def figure6(results):
    """Size of the file and time on the long clip: (header, rows)."""
    rows = []
    for (name, runtime), (spent_s, size) in results.long.items():
        plain_s, plain = next(
            found for (n, r), found in results.long.items() if n == name and r.startswith("PyTorch")
        )
        rows.append(
            (
                name + ", " + runtime,
                size / 1e6,
                100 * (size / plain - 1),
                spent_s,
                plain_s / spent_s,
            )
        )
    return (
        "encoder",
        "MB",
        "% against PyTorch",
        f"s on the {results.long_s:.1f} s clip",
        "times faster",
    ), rows


def figure7(results):
    """Sound per joule where power was measured, and data sheets: (header, rows)."""
    rows = []
    for encoder, times in results.encoders:
        watts = results.watts.get((encoder.name, encoder.runtime))
        rows.append(
            (
                encoder.name + ", " + encoder.runtime,
                watts,
                watts and results.lengths_s.sum() / times.sum() / watts,
                60 * times.sum() / results.lengths_s.sum() * watts if watts else None,
            )
        )
    watts = results.watts.get((DEFAULT, ""))
    rate = results.lengths_s.sum() / results.default.sum()
    rows.append((DEFAULT, watts, watts and rate / watts, 60 * watts / rate if watts else None))
    return ("encoder", "W above idle", "s of sound a joule", "J a minute of sound"), rows


def data_sheets():
    """Peak of the GPU by watt: (header, rows)."""
    return ("board", "GFLOPS float32", "W", "TFLOPS a W"), [
        (device.title, device.gpu, device.watts, device.gpu / device.watts / 1e3)
        for device in DEVICES.values()
        if device.watts
    ]


def streaming(results):
    """What the study lacks: (header, rows)."""
    rows = [
        (name, 1e3 * latency_s, 1e3 * spent_s, 1 / spent_s)
        for name, (latency_s, spent_s) in results.streams.items()
    ]
    return ("stream", "algorithmic latency, ms", "ms a frame", "frames a second"), rows


def verdicts(results):
    """The issue's and the study's comparisons as sentences."""
    large = _baseline(results, LARGE).sum()
    times = {(encoder.name, encoder.runtime): spent.sum() for encoder, spent in results.encoders}
    before = sum(
        spent.sum() for stage, spent in results.stages[0].items() if stage != "batch preparation"
    )
    apart = next(row[2] for row in figure4(results)[1] if row[:2] == (FAST, "all"))
    return [
        "FastHuBERT in ONNX is {:.1f} times faster than HuBERT large in PyTorch, 8-bit {:.1f} times (cosine {:.5f})".format(
            large / times[FAST, "ONNX"], large / times[FAST, "ONNX int8"], results.cosine
        ),
        "edgeface's whole path with its default model is %.0f times faster than GeneFace++'s with HuBERT large without"
        " batch preparation"
        % (before / (results.stages[0]["conversion"].sum() + results.default.sum())),
        "ONNX and PyTorch are %.1e px apart on a face of %d px behind FastHuBERT"
        % (apart, PICTURE_PX),
        "converting FastHuBERT to ONNX changes its size by {:+.2f} % (the study says -32.1 %)".format(
            next(row[2] for row in figure6(results)[1] if row[0] == FAST + ", ONNX")
        ),
        _STUDY,
    ]
