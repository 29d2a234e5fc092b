"""The study's tables and figures (`make test-torch`)."""

import csv

import numpy as np
import pytest
from support.process import edgeface

from edgeface.bench.study import tables
from edgeface.bench.study.clips import clip_seconds, clips
from edgeface.bench.study.report import markdown
from edgeface.bench.study.results import (
    BASE,
    DEFAULT,
    DEFAULT_KEY,
    FAST,
    LARGE,
    STAGES,
    Encoder,
    LongRun,
    Results,
    Stream,
)


def test_clips_are_as_long_as_the_studys():
    seconds = clip_seconds(50)
    assert (seconds.min(), seconds.max()) == (2.37, 10.73)
    assert abs(seconds.mean() - 4.64) < 0.05
    assert all(len(clip) == int(length * 22050) for clip, length in zip(clips(3), clip_seconds(3)))


@pytest.fixture
def results():
    """Two clips of four seconds, with times and faces that are easy to calculate with."""
    rng = np.random.RandomState(0)
    neutral = np.zeros((68, 3))
    neutral[0, 1] = 2.0  # a unit is 256 px
    still = [np.zeros((100, 68, 3)) for _ in range(2)]
    walking = [
        np.arange(100.0)[:, None, None] * [0.01, 0, 0] + np.zeros((100, 68, 3)) for _ in range(2)
    ]
    shifted = [face + [0.0, 0.001, 0.0] for face in walking]
    seconds = {
        (LARGE, "PyTorch"): 8.0,
        (LARGE, "ONNX"): 4.0,
        (BASE, "PyTorch"): 4.0,
        (BASE, "ONNX"): 2.0,
        (FAST, "PyTorch"): 1.0,
        (FAST, "ONNX"): 0.5,
        (FAST, "ONNX int8"): 0.25,
    }
    sizes = {"PyTorch": 1000000, "ONNX": 990000, "ONNX int8": 250000}
    return Results(
        encoders=[
            (
                Encoder(*key, run=None, bytes=sizes[key[1]], open_s=3.0, first_s=2.0),
                np.full(2, spent),
            )
            for key, spent in seconds.items()
        ],
        default=np.full(2, 0.05),
        before={stage: np.full(2, 1.0) for stage in STAGES},
        after={stage: np.full(2, 0.1) for stage in STAGES},
        landmarks={
            (LARGE, "PyTorch"): walking,
            (LARGE, "ONNX"): walking,
            (FAST, "PyTorch"): walking,
            (FAST, "ONNX"): shifted,
            (BASE, "ONNX"): [],
            DEFAULT_KEY: still,
        },
        values={name: rng.standard_normal(1000) for name in (LARGE, BASE, FAST)},
        cosine=0.999,
        lengths_s=np.full(2, 4.0),
        trained=set(),
        watts={(FAST, "ONNX"): 2.0},
        long={key: LongRun(spent, sizes[key[1]]) for key, spent in seconds.items()},
        long_s=12.0,
        streams={DEFAULT: Stream(0.08, 0.0005)},
        neutral=neutral,
    )


def test_stages_are_summed_before_and_after(results):
    rows = {row[0]: row[1:] for row in tables.table2(results).rows}
    assert rows["encoder"] == pytest.approx((2.0, 20.0, 0.2, 20.0))
    assert rows["all"] == pytest.approx((10.0, 100.0, 1.0, 100.0))
    assert rows[DEFAULT][2] == pytest.approx(2.0 + 0.1)


def test_the_table_compares_with_both_baselines(results):
    rows = {row[0]: row[1:] for row in tables.table3(results).rows}
    assert rows[f"{FAST}, ONNX"] == pytest.approx((1.0, 500.0, 0.125, 16.0, 8.0, 3.0, 2.0))
    assert rows[DEFAULT][:5] == pytest.approx((0.1, 50.0, 0.0125, 160.0, 80.0))


def test_motion_and_differences_are_in_pixels(results):
    motion = {row[0]: row[1:] for row in tables.figure3(results).rows}
    assert (
        motion[f"{LARGE}, PyTorch"] == pytest.approx([2.56] * 5) and motion[DEFAULT] == (0.0,) * 5
    )
    apart = {row[:2]: row[2:] for row in tables.figure4(results).rows}
    assert apart[FAST, "lips"][:3] == pytest.approx((0.256, 2.56, 2.56))
    assert apart[LARGE, "all"][0] == 0.0 and np.isnan(apart[LARGE, "all"][3])


def test_size_time_power_and_streams(results):
    sizes = {row[0]: row[1:] for row in tables.figure6(results).rows}
    assert sizes[f"{FAST}, ONNX int8"] == pytest.approx((0.25, -75.0, 0.25, 4.0))
    power = {row[0]: row[1:] for row in tables.figure7(results).rows}
    assert power[f"{FAST}, ONNX"] == pytest.approx((2.0, 4.0, 15.0))  # 8 s of sound in 1 s at 2 W
    assert power[f"{LARGE}, ONNX"] == (None, None, None)
    assert tables.streaming(results).rows == [(DEFAULT, 80.0, 0.5, 2000.0)]
    text = markdown(results, 2)
    assert "Trained weights: none" in text and "16.0 times faster" in text and "-1.00 %" in text
    assert f"| {FAST}, ONNX | 2 | 4 | 15 |" in text


@pytest.mark.timeout(600)
def test_the_command_measures_it_all(tmp_path):
    """Real networks of full size on two clips: two minutes."""
    result = edgeface("bench", "study", "--clips", "2", "-o", str(tmp_path), timeout=500)
    assert result.returncode == 0, result.stderr
    for name in ("study.md", "table3.png", "figure3.png", "figure5.png", "figure6.png"):
        assert (tmp_path / name).stat().st_size > 1000

    def rows(name):
        with open(str(tmp_path / name), newline="") as file:
            return list(csv.reader(file))[1:]

    ratio = {row[0]: float(row[4]) for row in rows("table3.csv")}
    assert ratio[f"{LARGE}, PyTorch"] == 1.0 and min(ratio[f"{FAST}, ONNX"], ratio[DEFAULT]) > 2.0
    apart = [float(row[2]) for row in rows("figure4.csv")]
    assert len(apart) == 12 and 0.0 < max(apart) < 0.05
    assert "cosine 0.999" in result.stdout
