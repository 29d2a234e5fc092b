import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import wait_for

from edgeface.core.clock import monotonic_ns
from edgeface.core.errors import UnavailableError
from edgeface.daemon.loop import Loop
from edgeface.daemon.parts import Parts
from edgeface.daemon.stats import Stats
from edgeface.daemon.timeline import Timeline
from edgeface.motion.frame import DISCONTINUITY, NEUTRAL
from edgeface.shm import layout
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer
from edgeface.source.base import Block, Source, SourceLost
from edgeface.source.selector import Selector
from edgeface.source.supervisor import Supervisor


def block(samples, lost=0, audio_ns=0):
    return Block(np.zeros(samples, np.float32), audio_ns, lost)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 3000)), min_size=1, max_size=20))
def test_timeline_counts_what_is_missing(blocks):
    timeline, truth, sample, gaps = Timeline(), [], 0, []
    for samples, lost in blocks:
        sample += lost
        if lost:
            gaps.append(len(truth))
        timeline.add(block(samples, lost, audio_ns=sample * 62500))
        truth += range(sample, sample + samples)
        sample += samples
    for position in range(0, len(truth) - 640, 640):
        first, audio_ns, flags = timeline.take(position, 640)
        assert first == truth[position]
        assert audio_ns == truth[position] * 62500
        assert bool(flags & DISCONTINUITY) == any(position <= at < position + 640 for at in gaps)
        assert not flags & NEUTRAL


@pytest.mark.parametrize("start", [2**31 - 700, 2**32 - 700, 2**53, 2**62])
def test_timeline_near_large_counters(loop_of, start):
    timeline = Timeline()
    timeline.add(block(640, lost=start, audio_ns=start))
    timeline.add(block(640, audio_ns=start + 40000000))
    assert timeline.take(0, 640)[:2] == (start, start)
    assert timeline.take(640, 640)[:2] == (start + 640, start + 40000000)


class Script(Source):
    """A source that does as it is told: Blocks are delivered, exceptions raised."""

    live = True

    def __init__(self, *events, refusals=0):
        super().__init__("script")
        self._events, self._refusals = list(events), refusals
        self.opened = 0

    def open(self):
        if self.opened and self._refusals > 0:
            self._refusals -= 1
            raise UnavailableError("still away")
        self.opened += 1

    def close(self):
        pass

    def read(self, timeout_s, samples):
        if not self._events:
            return None
        event = self._events.pop(0)
        if isinstance(event, Exception):
            raise event
        return event


class Rig:
    """A loop with parts from a test."""

    def __init__(self, source, pipeline, writer, keep=False):
        self.stats = Stats()
        self.loop = Loop(Parts(None, None, source, pipeline, writer), self.stats, keep)
        self.kept = self.loop.kept
        self.stopping = False

    def run(self, between_blocks=lambda: None):
        self.loop.run(lambda: self.stopping, between_blocks)


@pytest.fixture
def loop_of():
    """Makes loops of one source, which are closed when the test is over."""
    selectors = []

    def make(source, *arguments, **options):
        selectors.append(Selector([Supervisor(source)]))
        selectors[-1].open(required=True)
        return Rig(selectors[-1], *arguments, **options)

    yield make
    for selector in selectors:
        selector.close()


def sound(frames, lost=0):
    return block(640 * frames, lost, monotonic_ns())


@pytest.fixture
def writer(shm_name):
    with Writer(shm_name, 1, 80 * 10**6) as writer:
        yield writer


def test_lost_samples_are_counted_flagged_and_degrade(loop_of, pipeline, writer, shm_name):
    states = []
    loop = loop_of(Script(sound(5), sound(5, lost=1000), sound(5)), pipeline, writer, keep=True)
    loop.run(lambda: states.append(loop.stats.state))
    assert [frame.index for frame in loop.kept] == list(range(15))
    assert [frame.index for frame in loop.kept if frame.flags & DISCONTINUITY] == [5]
    assert states == [layout.RUNNING, layout.DEGRADED, layout.DEGRADED]
    with Reader(shm_name) as reader:
        assert reader.header()["dropped_samples"] == 1000
        assert reader.read().audio_sample == 14 * 640 + 1000


def test_a_lost_source_is_replaced_by_silence_until_it_is_back(loop_of, pipeline, writer, shm_name):
    source = Script(sound(5), SourceLost("gone"), sound(10), refusals=3)
    states = []
    loop = loop_of(source, pipeline, writer, keep=True)
    loop.run(lambda: states.append(loop.stats.state))
    assert source.opened == 2
    assert [state for state, before in zip(states, [None] + states) if state != before] == [
        layout.RUNNING,
        layout.WAITING,
        layout.RUNNING,
    ]
    neutral = [bool(frame.flags & NEUTRAL) for frame in loop.kept]
    back = len(neutral) - 10  # or the frame before, whose silence the sound cut short
    assert neutral == [False] * 5 + [True] * (back - 5) + [False] * 10 and back > 10
    gaps = [frame.index for frame in loop.kept if frame.flags & DISCONTINUITY]
    assert gaps in ([5, back], [5, back - 1])
    assert [frame.index for frame in loop.kept] == list(range(len(neutral)))
    with Reader(shm_name) as reader:
        assert reader.header()["source_restarts"] == 1


def test_stop_ends_the_loop_while_the_source_is_away(loop_of, pipeline, writer):
    loop = loop_of(Script(sound(1), SourceLost("gone"), refusals=10**9), pipeline, writer)
    count = []

    def stop_soon():
        count.append(1)
        loop.stopping = len(count) > 10

    loop.run(stop_soon)
    assert loop.stats.state == layout.WAITING
    pipeline.reset()


def test_old_sound_is_late(loop_of, pipeline, writer, shm_name):
    loop = loop_of(Script(block(640 * 10, audio_ns=monotonic_ns() - 10**9)), pipeline, writer)
    loop.run()
    assert loop.stats.late_frames == 10
    with Reader(shm_name) as reader:
        assert reader.header()["late_frames"] == 10


def test_the_heart_beats_without_frames(loop_of, pipeline, writer, shm_name):
    import threading

    stop = threading.Event()

    class Quiet(Script):
        def read(self, timeout_s, samples):
            stop.wait(timeout_s)
            return None if stop.is_set() else block(0)

    thread = threading.Thread(target=loop_of(Quiet(), pipeline, writer).run)
    thread.start()
    with Reader(shm_name) as reader:
        first = reader.header()["heartbeat_ns"]
        beats = [wait_for(lambda: (reader.header() or {}).get("heartbeat_ns")) for _ in range(50)]
        wait_for(lambda: reader.header()["heartbeat_ns"] > first + 3 * 10**8)
    assert beats == sorted(beats)
    stop.set()
    thread.join()
