import time

import numpy as np

from edgeface.devices.sample_clock import ArrivalClock, SampleClock
from edgeface.source.pace import Pace


def test_clock_follows_a_drifting_device():
    """16,008 Hz instead of 16,000, stamps 5 ms jittery: within 2 ms after the settling time."""
    clock, rng = SampleClock(16000), np.random.RandomState(2)
    start, errors = 10**15, []
    for block in range(6000):
        position = block * 160
        true_ns = start + position * 1e9 / 16008
        clock.update(position, int(true_ns + rng.uniform(-5e6, 5e6)))
        if block > 1500:
            errors.append(abs(clock.ns(position) - true_ns))
    assert np.percentile(errors, 99) < 2e6


def test_clock_of_arrivals_takes_late_ones_for_late():
    """16,008 Hz, and most blocks come up to 25 ms late: within 3 ms at once, within 1 ms after a while."""
    clock, rng = ArrivalClock(16000), np.random.RandomState(2)
    errors = []
    for block in range(4000):
        position = block * 160
        true_ns = 5 * 10**12 + position * 1e9 / 16008
        clock.update(
            position, int(true_ns + (rng.uniform(0, 25e6) if block and rng.rand() < 0.8 else 0))
        )
        errors.append(abs(clock.ns(position) - true_ns))
    assert max(errors) < 3e6 and max(errors[2000:]) < 1e6


def test_clock_follows_a_jump():
    clock = SampleClock(16000)
    for block in range(500):
        clock.update(block * 160, block * 10**7)
    hour = 3600 * 10**9
    clock.update(500 * 160, 500 * 10**7 + hour)
    assert clock.ns(500 * 160) == 500 * 10**7 + hour


def test_clock_near_large_counters():
    for first in (2**32 - 500, 2**53 - 500):
        clock = SampleClock(16000)
        for block in range(10):
            clock.update(first + block * 160, 10**12 + block * 10**7)
        assert abs(clock.ns(first + 1440) - (10**12 + 9 * 10**7)) < 1e6


def test_pace_is_real_time_and_does_not_rush_after_a_pause():
    pace = Pace()
    began = time.monotonic()
    due = [pace.due(160) for _ in range(20)]
    assert time.monotonic() - began >= 0.199
    assert all(b - a == 10**7 for a, b in zip(due, due[1:]))
    time.sleep(0.8)
    pace.due(160)
    began = time.monotonic()
    for _ in range(10):
        pace.due(160)
    assert time.monotonic() - began >= 0.09


def test_pace_fast_does_not_wait():
    began, pace = time.monotonic(), Pace(fast=True)
    for _ in range(100):
        pace.due(16000)
    assert time.monotonic() - began < 5
