import numpy as np

from edgeface.devices.sample_clock import ArrivalClock, SampleClock


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


def test_the_clock_of_arrivals_ignores_late_ones():
    """16,008 Hz, most blocks up to 25 ms late: within 3 ms at once, within 1 ms after a while."""
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
