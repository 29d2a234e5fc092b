"""Several sources: which one is active, and what takes the place of one that is lost."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import wait_for

from edgeface.core.errors import UnavailableError
from edgeface.source.base import EMPTY, Block, Source, SourceLost
from edgeface.source.selector import Selector
from edgeface.source.supervisor import Supervisor

BLOCK_NS = 10**7


class Fake(Source):
    """A source in virtual time: delivers `level` while it is set, nothing while that is None."""

    live = True

    def __init__(self, clock, level=None, pauses=False, playback=False):
        super().__init__("fake")
        self.pauses = pauses
        self.playback = playback
        self.clock = clock
        self.level = level
        self.lost = False
        self.absent = False
        self.opened = self.closed = 0

    def open(self):
        if self.absent:
            raise UnavailableError("fake: absent")
        self.opened += 1
        self.lost = False
        self._read_ns = self.clock.now

    def close(self):
        self.closed += 1

    def read(self, timeout_s, samples):
        if self.lost:
            raise SourceLost("fake: lost")
        if self.level is None:
            self.clock.sleep(timeout_s)
            self._read_ns = self.clock.now
            return EMPTY
        if self.clock.now < self._read_ns + BLOCK_NS:
            self.clock.sleep(min(timeout_s, (self._read_ns + BLOCK_NS - self.clock.now) / 1e9))
        if self.clock.now < self._read_ns + BLOCK_NS:
            return EMPTY
        self._read_ns += BLOCK_NS
        return Block(
            np.full(160, self.level, np.float32),
            self._read_ns - BLOCK_NS,
            playback=self.playback,
        )


class Clock:
    def __init__(self):
        self.now = 10**12

    def sleep(self, seconds):
        self.now += int(seconds * 1e9)

    def install(self, monkeypatch):
        """Sources that are open, and those that are waited for, take this clock's time."""
        has_opened = Supervisor._has_opened

        def wait(supervisor, timeout_s):
            if has_opened(supervisor, 0.0):
                return True
            self.sleep(timeout_s)
            return False

        monkeypatch.setattr("edgeface.source.selector.monotonic_ns", lambda: self.now)
        monkeypatch.setattr(Supervisor, "_has_opened", wait)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    clock.install(monkeypatch)
    yield clock
    for selector in OPENED:
        selector.close()
    OPENED.clear()


OPENED = []  # selectors, whose threads must not outlive the test


def opened(*sources, **options):
    selector = Selector([Supervisor(source) for source in sources], **options)
    OPENED.append(selector)
    selector.open(required=True)
    return selector


def listen(selector, clock, seconds):
    """Blocks of so long, none of them empty."""
    blocks, end = [], clock.now + int(seconds * 1e9)
    while clock.now < end:
        block = selector.read(0.1)
        if len(block.samples):
            blocks.append(block)
    return blocks


def levels(blocks):
    return [float(np.float32(block.samples[0])) for block in blocks]


def test_while_the_voice_plays_the_microphone_is_ignored(clock):
    voice, mic = Fake(clock, playback=True, pauses=True), Fake(clock, 0.25)
    selector = opened(voice, mic, hold_s=0.3)
    assert set(levels(listen(selector, clock, 1.0))) == {0.25}
    voice.level = 0.5
    blocks = listen(selector, clock, 1.0)
    assert levels(blocks)[2:] == [0.5] * (len(blocks) - 2)
    assert [block.gap for block in blocks].count(True) == 1
    assert all(block.playback for block in blocks[2:])
    voice.level = None
    blocks = listen(selector, clock, 1.0)
    back = levels(blocks).index(0.25)
    # silence until the hold time is over, then the microphone
    assert set(levels(blocks[:back])) == {0.0} and set(levels(blocks[back:])) == {0.25}
    assert abs(blocks[back].audio_ns - blocks[0].audio_ns - 0.3e9) < 0.05e9
    assert blocks[back].gap


def test_a_voice_that_pauses_for_less_than_the_hold_time_stays_active(clock):
    voice, mic = Fake(clock, 0.5, pauses=True), Fake(clock, 0.25)
    selector = opened(voice, mic, hold_s=0.5)
    listen(selector, clock, 0.5)
    voice.level = None
    during = levels(listen(selector, clock, 0.4))
    voice.level = 0.5
    during += levels(listen(selector, clock, 0.4))
    assert set(during) == {0.0, 0.5}


def test_a_monitor_that_delivers_silence_does_not_play(clock):
    monitor, mic = Fake(clock, 0.0), Fake(clock, 0.25)
    assert set(levels(listen(opened(monitor, mic), clock, 1.0))) == {0.25}


def test_the_voice_of_higher_priority_interrupts_the_other(clock):
    first, second = Fake(clock, None, pauses=True), Fake(clock, 0.5, pauses=True)
    mic = Fake(clock, 0.25)
    selector = opened(first, second, mic)
    assert set(levels(listen(selector, clock, 0.5))[5:]) == {0.5}
    first.level = 0.75
    assert set(levels(listen(selector, clock, 0.5))[2:]) == {0.75}


def test_a_lost_source_is_silence_in_real_time(clock):
    mic = Fake(clock, 0.25)
    selector = opened(mic)
    listen(selector, clock, 0.5)
    mic.absent = mic.lost = True
    began = clock.now
    blocks = listen(selector, clock, 2.0)
    assert selector.waiting
    assert all(block.neutral for block in blocks) and set(levels(blocks)) == {0.0}
    assert [block.gap for block in blocks] == [True] + [False] * (len(blocks) - 1)
    assert abs(len(blocks) * 0.01 - (clock.now - began) / 1e9) < 0.12
    mic.absent = False

    def returned():
        block = selector.read(0.1)
        return block if not block.neutral and len(block.samples) else None

    block = wait_for(returned)
    assert block.gap and selector.restarts == 1 and not selector.waiting
    assert mic.closed == 1 and mic.opened == 2


def test_a_missing_source_is_waited_for_unless_it_is_required(clock):
    mic = Fake(clock, 0.25)
    mic.absent = True
    with pytest.raises(UnavailableError):
        Selector([Supervisor(mic)]).open(required=True)
    selector = Selector([Supervisor(mic)])
    OPENED.append(selector)
    selector.open()
    assert selector.waiting and selector.read(0.1).neutral
    mic.absent = False
    wait_for(lambda: not selector.read(0.1).neutral)


def test_waiting_for_a_source_survives_any_failure(clock):
    mic, failures = Fake(clock, 0.25), [OSError("odd"), RuntimeError("odder"), KeyError("oddest")]
    whole = mic.open

    def fail():
        if failures:
            raise failures.pop()
        whole()

    mic.open = fail
    selector = Selector([Supervisor(mic)])
    OPENED.append(selector)
    selector.open()
    wait_for(lambda: not selector.read(0.1).neutral)


def test_closing_ends_the_wait_for_a_source(clock):
    mic = Fake(clock, 0.25)
    mic.absent = True
    selector = Selector([Supervisor(mic)])
    OPENED.append(selector)
    selector.open()
    selector.close()
    mic.absent = False
    time.sleep(0.5)
    assert mic.opened == mic.closed


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 0.0, 0.5]), st.sampled_from([None, 0.25]), st.floats(0.0, 0.4)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_sound_is_25_frames_a_second_whatever_happens(script):
    """Never more than the time that passed, and never 200 ms less, however the writers pause."""
    with pytest.MonkeyPatch().context() as monkeypatch:
        clock = Clock()
        clock.install(monkeypatch)
        voice, base = Fake(clock, pauses=True), Fake(clock, pauses=True)
        selector, began, samples = opened(voice, base), clock.now, 0
        for voice.level, base.level, seconds in script:
            samples += sum(len(block.samples) for block in listen(selector, clock, seconds))
        passed_s = (clock.now - began) / 1e9
        switches = len(script)
        assert samples / 16000 <= passed_s + 0.011 * (1 + switches)
        assert samples / 16000 >= passed_s - 0.2 - 0.08 * switches


def test_nobody_hurries_to_catch_up_after_the_machine_slept(clock):
    mic = Fake(clock, 0.25)
    selector = opened(mic)
    mic.absent = mic.lost = True
    listen(selector, clock, 0.5)
    for jump_s in (3600.0, 0.3):
        clock.sleep(jump_s)
        began = clock.now
        assert abs(len(listen(selector, clock, 1.0)) * 0.01 - 1.0) < 0.12
        assert clock.now - began < 1.1e9


def test_a_source_that_fails_unexpectedly_is_lost_like_any_other(clock):
    mic, whole = Fake(clock, 0.25), Fake.read
    selector = opened(mic)
    mic.read = lambda *wanted: {}["unforeseen"]
    listen(selector, clock, 0.2)
    assert selector.waiting
    mic.read = lambda *wanted: whole(mic, *wanted)
    wait_for(lambda: not selector.read(0.1).neutral)
    assert selector.restarts == 1


class Late(Fake):
    """Pauses until a moment, and then delivers as the fake does."""

    begins_ns = None
    wanted = 0

    def read(self, timeout_s, samples):
        self.wanted = samples
        until_ns = self.clock.now + timeout_s * 1e9
        if self.level is None and self.begins_ns is not None and until_ns >= self.begins_ns:
            self.clock.now = self._read_ns = max(self.clock.now, self.begins_ns)
            self.level, timeout_s = 0.5, 0.1
        return super().read(timeout_s, samples)


def test_silence_is_as_long_as_is_wanted_and_ends_where_sound_begins(clock):
    voice = Late(clock, pauses=True)
    selector = opened(voice)
    listen(selector, clock, 0.5)
    began = clock.now
    block = selector.read(0.1, 640)
    assert len(block.samples) == 640 and block.neutral and abs(clock.now - began - 4e7) < 1e4
    voice.begins_ns = clock.now + 13 * 10**6
    silence, first = selector.read(0.1, 640), selector.read(0.1, 640)
    assert len(silence.samples) == 208 and silence.neutral
    assert levels([first]) == [0.5] and first.audio_ns == voice.begins_ns
    assert abs(silence.end_ns - first.audio_ns) < 62500


def test_one_source_is_waited_for_as_long_as_a_frame_and_of_several_each_is_looked_at(clock):
    alone, voice, mic = (Late(clock, 0.5, pauses=True) for _ in range(3))
    opened(alone).read(0.1, 640)
    opened(voice, mic).read(0.1, 640)
    assert (alone.wanted, voice.wanted, mic.wanted) == (640, 160, 160)
