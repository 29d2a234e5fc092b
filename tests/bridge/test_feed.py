"""Which frames a bridge shows: new ones, interpolated ones, neutral ones."""

import numpy as np
import pytest
from support.faces import random_frame
from support.process import wait_for

from edgeface.bridge.feed import NewestFrames, SteadyFrames, feed
from edgeface.core.clock import monotonic_ns
from edgeface.motion.frame import NEUTRAL
from edgeface.shm import layout
from edgeface.shm.writer import Writer

REST = np.full((68, 3), 0.5, np.float32)


def shown(writer, frames):
    """The next frame of a writer, past neutral ones where this machine was too busy for it."""

    def look():
        writer.heartbeat()
        frame = frames.next()
        return frame if frame is not None and frame.flags != NEUTRAL else None

    return wait_for(look)


def test_each_new_frame_comes_once(writer, shm_name):
    frames = feed(shm_name, 25, REST)
    assert isinstance(frames, NewestFrames)
    for k in range(12):
        writer.publish(random_frame(k, flags=33), 640 * k, 7)
        frame = shown(writer, frames)
        assert (frame.index, frame.flags, frame.audio_sample) == (k, 33, 640 * k)
        assert (frame.blendshapes == random_frame(k).blendshapes).all()
    writer.heartbeat()
    frame = frames.next()
    assert frame is None or frame.flags == NEUTRAL  # nothing new
    frames.close()


@pytest.mark.parametrize("fps", [25, 60])
def test_without_a_writer_neutral_frames_keep_coming_at_a_modest_rate(shm_name, fps):
    frames = feed(shm_name, fps, REST)
    began_ns = monotonic_ns()
    for count in range(8):
        frame = wait_for(frames.next)
        assert frame.flags == NEUTRAL and not frame.blendshapes.any()
        assert (frame.landmarks == REST).all() and frame.index == count
    assert monotonic_ns() - began_ns > 7 * 190 * 10**6
    frames.close()


@pytest.mark.parametrize("fps", [25, 60])
def test_writers_come_and_go(shm_name, fps):
    frames = feed(shm_name, fps, REST)
    assert wait_for(frames.next).flags == NEUTRAL
    for _ in range(2):
        with Writer(shm_name, 1, 0) as writer:
            writer.publish(random_frame(3, flags=1), 0, 0)
            assert shown(writer, frames).flags == 1
        assert wait_for(lambda: getattr(frames.next(), "flags", None) == NEUTRAL)
    frames.close()


def test_a_rate_above_25_is_even_and_interpolated(writer, shm_name):
    frames = feed(shm_name, 50, REST)
    assert isinstance(frames, SteadyFrames)
    values, began_ns = [], monotonic_ns()
    for k in range(10):
        face = random_frame(k)._replace(blendshapes=np.full(52, k / 10, np.float32))
        writer.publish(face, 0, 0)
        due_ns = monotonic_ns() + 40 * 10**6
        while monotonic_ns() < due_ns:
            values.append(float(shown(writer, frames).blendshapes[0]))
    # never more than the rate, whatever the machine does
    assert len(values) <= 50 * (monotonic_ns() - began_ns) / 1e9 + 2
    assert any(abs(10 * value - round(10 * value)) > 0.01 for value in values)
    frames.close()


def test_a_file_that_is_faster_than_real_time_is_not_followed_at_any_rate(writer, shm_name):
    frames = feed(shm_name, 25, REST)
    began_ns, count = monotonic_ns(), 0
    while monotonic_ns() - began_ns < 3 * 10**8:
        writer.publish(random_frame(0), 0, 0)
        count += frames.next() is not None
    assert count < 150
    frames.close()


def test_a_segment_that_is_damaged_ends_nothing(writer, shm_name):
    frames = feed(shm_name, 60, REST)
    writer.publish(random_frame(0), 0, 0)
    writer.store(layout.LATEST, 2**63)
    writer.heartbeat()
    for _ in range(3):
        frames.next()
    frames.close()
