import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.telemetry.energy import Energy
from edgeface.telemetry.histogram import Histogram
from edgeface.telemetry.latency import Latency


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=200),
    st.sampled_from([1, 50, 95, 99, 100]),
)
def test_percentiles_are_within_one_percent(values, percent):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    exact = sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]
    summary = histogram.take()
    assert summary.count == len(values)
    assert summary.percentile_ns(percent) == pytest.approx(exact, rel=0.01, abs=0.5)
    assert sum(summary.bins_ms().values()) == len(values)
    assert histogram.take().as_ms() == {"p50": None, "p95": None, "p99": None, "max": None}


def test_a_histogram_holds_any_duration_in_fixed_memory():
    histogram = Histogram()
    size = len(histogram._counts)
    for value in (-5, 0, 1, 63, 64, 2**39, 2**40 - 1, 2**40, 2**70):
        histogram.record(value)
    assert len(histogram._counts) == size < 3000
    assert histogram.take().count == 9


def test_energy_is_integrated_and_gaps_are_marked():
    energy = Energy()
    for second in range(11):
        energy.add(float(second), 2000.0)
    energy.add(11.0, None)
    energy.add(12.0, 2000.0)
    energy.add(100.0, 2000.0)
    energy.add(101.0, 4000.0)
    assert energy.take() == (pytest.approx(23.0), pytest.approx(11.0), pytest.approx(90.0))
    assert energy.take() == (None, 0.0, 0.0)


def test_late_frames_have_a_cause():
    latency = Latency(late_ns=220000000)
    for capture_ms, ring_ms, late in (
        (10, 1, False),
        (200, 1, True),
        (10, 90, True),
        (10, 1, True),
    ):
        latency.block(capture_ms * 10**6, ring_ms * 10**6)
        assert latency.published(10**12, 10**12 - (300 if late else 120) * 10**6) == late
    assert latency.late == {"capture": 1, "ring": 1, "compute": 1}
