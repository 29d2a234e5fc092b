"""Which sources count as slow."""

import pytest

from edgeface.source.flow import Flow

BLOCK = 160  # samples, 10 ms
BLOCK_NS = 10**7


def flow_of(speed, seconds, piece_ms=20, jitter_ms=()):
    """A source at so many times real time, whose pieces come late by turns; (flow, seconds)."""
    flow = Flow(0)
    delivered_ns = written_ns = 0
    for k in range(int(seconds * 1000)):
        now = k * 10**6
        late_ns = jitter_ms[k // 100 % len(jitter_ms)] * 10**6 if jitter_ms else 0
        pieces = int((now - late_ns) * speed) // (piece_ms * 10**6)
        written_ns = max(written_ns, pieces * piece_ms * 10**6)
        if written_ns >= delivered_ns + BLOCK_NS:
            flow.sound(BLOCK, now)
            delivered_ns += BLOCK_NS
        elif flow.is_late(now):
            flow.silence(BLOCK, now)
    return flow


@pytest.mark.parametrize("speed", [0.3, 0.5, 0.8, 0.9])
def test_less_than_real_time_is_slow(speed):
    assert flow_of(speed, 10.0).slow


@pytest.mark.parametrize("speed", [0.9995, 1.0, 1.0005, 1.2])
@pytest.mark.parametrize("jitter_ms", [(), (0, 30), (0, 0, 0, 0, 0, 0, 0, 0, 0, 90)])
def test_real_time_with_any_clock_and_jitter_is_not(speed, jitter_ms):
    assert not flow_of(speed, 60.0, jitter_ms=jitter_ms).slow


def test_a_pause_is_not_slow_and_ends_it():
    flow = flow_of(0.5, 10.0)
    for k in range(60):
        flow.silence(BLOCK, 10**10 + k * BLOCK_NS)
    assert not flow.slow


def test_a_pause_makes_up_for_a_late_start():
    """Else silence would be put between the first sounds, and the face be early."""
    flow = Flow(0)
    flow.pause(BLOCK, 10**9)  # the model took a second to load
    assert not flow.is_late(10**9)
