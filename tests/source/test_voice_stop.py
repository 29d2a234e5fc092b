"""Stopping a voice: the sound that is heard fades out, the mouth closes, the rest is dropped."""

import threading

import numpy as np
import pytest
from source.test_voice import AHEAD_NS, heard, path_of, tone
from support.process import wait_for
from support.sources import samples_of

from edgeface import Voice
from edgeface.core.clock import monotonic_ns
from edgeface.source.unix import UnixSource
from edgeface.source.voice_queue import VoiceQueue
from edgeface.voice import FADE_MS

FADE_SAMPLES = 16 * FADE_MS
MOUTH = list(range(17)) + list(range(48, 68))  # jaw and lips
SILENT_SAMPLES = np.zeros(16000, np.float32)


@pytest.fixture
def source(tmp_path):
    source = UnixSource(str(tmp_path / "voice"), AHEAD_NS)
    source.open()
    yield source
    source.close()


class Speaker(threading.Thread):
    """Says a minute of a tone, and notes how that ended."""

    def __init__(self, voice):
        super().__init__()
        self.voice = voice
        self.error = ""
        self.start()

    def run(self):
        try:
            self.voice.say(tone(16000, 60.0), 16000)
        except OSError as error:
            self.error = str(error)


def sound_of(blocks):
    return np.concatenate([block.samples for block, _ in blocks] + [np.zeros(0, np.float32)])


def queue_after(seconds, samples, play_at_ns=0):
    """A queue of which so much was read, and the moment at which that was heard."""
    queue = VoiceQueue()
    queue.append(samples, play_at_ns)
    now = monotonic_ns()
    for _ in range(int(100 * seconds)):
        queue.due_ns(now)
        now = queue.pop().end_ns
    return queue, now


def rest_of(queue, now):
    """What is still read of a queue, float32 [n]."""
    parts = [np.zeros(0, np.float32)]
    while queue.samples:
        queue.due_ns(now)
        parts.append(queue.pop().samples)
    return np.concatenate(parts)


def test_another_connection_stops_whoever_speaks_and_whoever_waits(source):
    first = Speaker(Voice(path_of(source)))
    samples_of(source, 1600)
    waiting = Voice(path_of(source))
    waiting.say(tone(16000, 0.1), 16000)
    idle = Voice(path_of(source))
    heard(source, 0.05)
    with Voice(path_of(source)) as other:
        other.stop()
        faded = sound_of(heard(source, 0.6))
        assert len(faded) <= FADE_SAMPLES + 1600  # what was due meanwhile, too
        if len(faded):  # a machine that stood still for 0.1 s has broken off already
            assert np.abs(faded[-80:]).max() < 0.01
            assert np.abs(np.diff(faded)).max() < 0.04  # that of the tone: no click
        first.join(5)
        assert "stopped by another connection" in first.error
        with pytest.raises(ConnectionError):
            waiting.say(tone(16000, 0.1), 16000)
        for voice in (idle, other):  # neither had said anything
            voice.say(tone(16000, 0.1), 16000)
            assert len(samples_of(source, 1600)) == 1600
    for voice in (first.voice, waiting, idle):
        voice.close()


def test_a_voice_stops_itself_while_it_says_a_minute_and_speaks_on(source):
    with Voice(path_of(source)) as voice:
        speaker = Speaker(voice)
        samples_of(source, 1600)
        voice.stop()
        speaker.join(5)
        assert speaker.error.endswith("stopped")
        assert len(sound_of(heard(source, 0.5))) <= FADE_SAMPLES + 1600
        voice.say(tone(16000, 0.1), 16000)
        assert len(samples_of(source, 1600)) == 1600


def test_where_nobody_speaks_a_stop_is_silent(source, tmp_path):
    with Voice(path_of(source)) as voice:
        voice.stop()
        voice.say(tone(16000, 0.2), 16000, play_at_ns=monotonic_ns() + 10**10)
        heard(source, 0.1)
        voice.stop()
        assert heard(source, 0.2) == []
    with pytest.raises(OSError, match="start `edgeface run"):
        source.close()
        voice.stop()
    source.open()


@pytest.mark.parametrize("queued", [0, 1, 500, 1600, 16000])
def test_a_fade_is_as_long_as_stated_however_little_is_queued(queued):
    samples = np.float32(0.5) * np.sin(0.1 * np.arange(3200 + queued)).astype(np.float32)
    queue, now = queue_after(0.2, samples)
    queue.fade(now)
    queue.fade(now)  # nothing is faded twice
    faded = rest_of(queue, now)
    assert len(faded) == FADE_SAMPLES
    whole = np.concatenate((samples[:3200], faded))
    assert np.abs(np.diff(whole)).max() <= 0.0505  # that of the tone: there is no click
    assert abs(faded[-1]) < 1e-3
    loudness = np.abs(faded).reshape(8, 200).max(1)
    assert (np.diff(loudness) < 0.01).all()


def test_what_is_not_heard_yet_or_any_more_does_not_fade():
    later = monotonic_ns() + 10**10
    queue, now = queue_after(0.0, SILENT_SAMPLES, later)
    queue.fade(now)
    assert not queue.samples
    queue, now = queue_after(0.1, SILENT_SAMPLES)
    queue.fade(now + 10**9)
    assert not queue.samples
    queue, now = queue_after(0.1, SILENT_SAMPLES[:1600])
    queue.append(np.full(1600, 0.5, np.float32), later)
    queue.fade(now)
    assert not rest_of(queue, now).any()


def test_the_mouth_closes_without_a_jump_and_rests_within_300_ms(pipeline, clips):
    """Of the sound: what is seen and heard of it comes the delay of the face later."""
    rests_ms = []
    for clip, stopped_s in ((0, 0.9), (1, 1.3), (2, 1.7), (3, 1.1)):
        samples = clips["samples"][clip].astype(np.float32) / 32768
        pipeline.reset()
        whole = mouths(pipeline, samples)
        queue, now = queue_after(stopped_s, samples)
        queue.fade(now)
        spoken = samples[: int(16000 * stopped_s)]
        pipeline.reset()
        stopped = mouths(pipeline, np.concatenate((spoken, rest_of(queue, now), SILENT_SAMPLES)))
        steps = np.abs(np.diff(stopped, axis=0)).max((1, 2))
        assert steps.max() < 1.5 * np.abs(np.diff(whole, axis=0)).max()
        moving = np.abs(stopped - stopped[-1]).max((1, 2)) > 0.02
        rests_ms.append(40.0 * (np.nonzero(moving)[0][-1] + 1) - 1000 * stopped_s)
    print("the mouth rests after, ms:", np.round(rests_ms))
    assert min(rests_ms) > 0 and max(rests_ms) <= 300


def mouths(pipeline, samples):
    """Jaw and lips of all frames, float32 [T, 37, 3]."""
    frames = pipeline.accept(samples) + pipeline.finish()
    return np.array([frame.landmarks[MOUTH] for frame in frames])


def test_a_stop_comes_before_what_others_have_written(source):
    flood = [Speaker(Voice(path_of(source))) for _ in range(4)]

    def all_want():
        source.read(0.01)
        return sum(connection.is_speaking for connection in source._turns) == len(flood)

    wait_for(all_want)
    with Voice(path_of(source)) as voice:
        voice.stop()
        assert len(sound_of(heard(source, 0.6))) <= FADE_SAMPLES + 1600
    wait_for(lambda: all(speaker.error for speaker in flood))
    for speaker in flood:
        speaker.voice.close()
