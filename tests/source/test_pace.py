import time

from edgeface.source.pace import Pace


def test_pace_is_real_time_and_does_not_rush_after_a_pause():
    pace = Pace()
    began = time.monotonic()
    due = [pace.wait(160) for _ in range(20)]
    assert time.monotonic() - began >= 0.199
    assert all(b - a == 10**7 for a, b in zip(due, due[1:]))
    time.sleep(0.8)
    pace.wait(160)
    began = time.monotonic()
    for _ in range(10):
        pace.wait(160)
    assert time.monotonic() - began >= 0.09


def test_pace_fast_does_not_wait():
    began, pace = time.monotonic(), Pace(fast=True)
    for _ in range(100):
        pace.wait(16000)
    assert time.monotonic() - began < 5
