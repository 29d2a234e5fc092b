"""The face between frames, for screens that are faster than 25 Hz."""

import os
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.faces import random_frame
from support.process import wait_for

from edgeface.core.clock import monotonic_ns
from edgeface.shm import layout
from edgeface.shm import writer as writer_module
from edgeface.shm.history import FRAME_NS, face_at
from edgeface.shm.reader import Reader
from edgeface.shm.slot import ReadFrame
from edgeface.shm.writer import Writer

MS = 10**6
START = 5 * 10**9  # when frame 0 is published, ns

C_READER = r"""
#define _GNU_SOURCE
#include <inttypes.h>
#include "edgeface.h"
/* for each time on standard input: the result, the frame's number, and all values */
int main(int argc, char **argv) {
    static edgeface_reader r;
    edgeface_frame f;
    uint64_t at;
    (void)argc;
    while (scanf("%" SCNu64, &at) == 1) {
        int got = edgeface_read_at(&r, argv[1], at, &f);
        printf("%d", got);
        if (got == EDGEFACE_NEW) {
            printf(" %" PRIu64 " %u", f.frame_index, f.flags);
            for (int i = 0; i < 68 * 3; i++) printf(" %.9g", (&f.landmarks[0][0])[i]);
            for (int i = 0; i < 52; i++) printf(" %.9g", f.blendshapes[i]);
            for (int i = 0; i < 6; i++) printf(" %.9g", f.head[i]);
            for (int i = 0; i < 4; i++) printf(" %.9g", f.gaze[i]);
        }
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
"""


def read_frame(index, late_ns=0, value=None, flags=0):
    """Frame n, so much later than 40 n ms after the start; all its values are the same."""
    value = index if value is None else value
    return ReadFrame(
        index,
        640 * index,
        0,
        START + FRAME_NS * index + late_ns,
        flags,
        0.0,
        0.0,
        np.full((68, 3), value, np.float32),
        np.full(52, value, np.float32),
        np.full(6, value, np.float32),
        np.full(4, value, np.float32),
    )


def value_at(frames, time_ns):
    """The one value of all landmarks, shapes, head and gaze."""
    face = face_at(frames, time_ns)
    values = np.concatenate([face.landmarks.reshape(-1), face.blendshapes, face.head, face.gaze])
    assert values.dtype == np.float32 and np.ptp(values) == 0
    return float(values[0])


def test_motion_is_even_and_one_frame_late():
    frames = [read_frame(k) for k in range(8)]
    for ms in range(0, 280, 16):
        shown = value_at(frames, START + FRAME_NS + ms * MS)
        assert shown == pytest.approx(min(7, ms / 40), abs=1e-6)


def test_the_first_and_the_last_frame_are_held():
    frames = [read_frame(k) for k in range(3, 6)]
    assert value_at(frames, 0) == 3
    assert value_at(frames, START + 10**12) == 5
    assert value_at(frames[:1], 0) == 3


def test_the_other_fields_are_those_of_the_frame_that_was_reached():
    frames = [read_frame(k, flags=k) for k in range(8)]
    face = face_at(frames, START + FRAME_NS + 2 * FRAME_NS + 39 * MS)
    assert (face.index, face.flags, face.publish_ns) == (2, 2, START + 2 * FRAME_NS)


def test_one_late_frame_moves_nothing():
    on_time = [read_frame(k) for k in range(8)]
    late = [read_frame(k, late_ns=35 * MS if k == 3 else 0) for k in range(8)]
    for ms in range(0, 280, 16):
        at = START + FRAME_NS + ms * MS
        assert value_at(late, at) == value_at(on_time, at)


def test_a_publisher_that_jitters_regularly_is_shown_evenly():
    """Blocks of 21 ms, as of a sound server: all but one in eight frames are there in time."""
    jitter_ns = [k * 8 * MS // 3 % (64 * MS // 3) for k in range(100)]
    frames = [read_frame(k, late_ns=jitter_ns[k]) for k in range(100)]
    shown = []
    for at in range(START + 20 * FRAME_NS, START + 90 * FRAME_NS, 16 * MS):
        there = [frame for frame in frames if frame.publish_ns <= at][-8:]
        shown.append(value_at(there, at))
    steps = np.diff(shown)
    assert steps.min() > 0.3 and steps.max() < 0.5  # 0.4 frames in 16 ms


def test_no_more_than_one_frame_more_is_waited_for():
    frames = [read_frame(k, late_ns=MS * (500 if k > 3 else 0)) for k in range(8)]
    at = START + FRAME_NS * 9
    assert value_at(frames, at) == pytest.approx(7)


@settings(max_examples=50, deadline=None)
@given(
    late_ms=st.lists(st.integers(0, 400), min_size=1, max_size=8),
    gaps=st.lists(st.integers(1, 3), min_size=8, max_size=8),
    values=st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8),
    at_ms=st.integers(-1000, 3000),
)
def test_a_face_is_always_between_two_neighbours(late_ms, gaps, values, at_ms):
    indices = np.cumsum(gaps)
    frames = [
        read_frame(int(index), MS * ms, value) for index, ms, value in zip(indices, late_ms, values)
    ]
    at = START + at_ms * MS
    face = face_at(frames, at)
    before = [frame.index for frame in frames].index(face.index)
    neighbours = [
        value_at(frames[k : k + 1], 0) for k in (before, min(before + 1, len(frames) - 1))
    ]
    assert min(neighbours) - 1e-6 <= value_at(frames, at) <= max(neighbours) + 1e-6


@pytest.fixture
def at_times(monkeypatch):
    """Lets the writer publish at the times of a list."""
    times = []
    monkeypatch.setattr(writer_module, "monotonic_ns", lambda: times.pop(0))
    return times


def test_a_reader_interpolates_what_was_published(writer, shm_name, at_times):
    with Reader(shm_name) as reader:
        assert reader.read_at(START) is None
        for k in range(20):
            at_times.append(START + k * FRAME_NS)
            writer.publish(random_frame(k), 640 * k, 0)
            writer.heartbeat()
            before, after = random_frame(max(0, k - 1)), random_frame(k)
            face = reader.read_at(START + k * FRAME_NS + FRAME_NS // 4)
            assert face.index == max(0, k - 1)
            for name in ("landmarks", "blendshapes", "head", "gaze"):
                a, b = getattr(before, name), getattr(after, name)
                assert np.allclose(getattr(face, name), a + 0.25 * (b - a), atol=1e-6)
        assert reader.read_at(0).index == 12  # the oldest of eight


def test_frames_of_another_writer_are_never_mixed(shm_name, at_times):
    reader = Reader(shm_name)
    for value in (1.0, 5.0):
        with Writer(shm_name, 1, 0) as writer:
            for k in range(3):
                at_times.append(START + k * FRAME_NS)
                face = random_frame(k)._replace(landmarks=np.full((68, 3), value, np.float32))
                writer.publish(face, 0, 0)
                writer.heartbeat()
                for ms in range(0, 200, 7):
                    assert (reader.read_at(START + ms * MS).landmarks == value).all()
        assert reader.read_at(START) is None
    assert reader.attached == 2
    reader.close()


@pytest.mark.system
def test_c_interpolates_as_python_does(writer, shm_name, at_times, tmp_path):
    (tmp_path / "reader.c").write_text(C_READER)
    subprocess.check_call(
        ["gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror"]
        + ["-I", os.path.dirname(layout.__file__), str(tmp_path / "reader.c")]
        + ["-o", str(tmp_path / "reader")]
    )
    rng = np.random.RandomState(3)
    c = subprocess.Popen(
        [str(tmp_path / "reader"), shm_name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    python = Reader(shm_name)

    def both(at):
        writer.heartbeat()
        c.stdin.write(f"{at}\n")
        c.stdin.flush()
        words = c.stdout.readline().split()
        if words == ["-1"]:  # this machine took half a second for it
            return None
        writer.heartbeat()
        return words, python.read_at(at)

    words, face = wait_for(lambda: both(START))
    assert words == ["0"] and face is None
    for k in range(40):
        at_times.append(START + k * FRAME_NS + int(rng.choice([0, 1, 5, 30, 90])) * MS)
        writer.publish(random_frame(k, flags=k), 640 * k, 0)
        if k % 5 == 3:
            continue  # a renderer that skips a look
        for _ in range(6):
            at = START + k * FRAME_NS + int(rng.randint(-400 * MS, 400 * MS))
            words, face = wait_for(lambda at=at: both(at))
            assert [int(word) for word in words[:3]] == [1, face.index + 1, face.flags]
            values = np.array(words[3:], np.float64)
            assert np.allclose(values[:204], face.landmarks.reshape(-1), rtol=0, atol=1e-6)
            others = np.concatenate([face.blendshapes, face.head, face.gaze])
            assert np.allclose(values[204:], others, rtol=0, atol=1e-6)
    writer.store(layout.LATEST, 2**64 - 1)  # nothing protects it
    words, face = wait_for(lambda: both(START))
    assert words == ["0"] and face is None
    c.stdin.close()
    c.wait()
    c.stdout.close()
    python.close()


def test_a_fast_screen_sees_more_faces_than_there_are_frames(writer, shm_name):
    """On the real clock, as a face opens."""
    with Reader(shm_name) as reader:
        shown = []
        for k in range(12):
            face = random_frame(k)._replace(blendshapes=np.full(52, k / 12, np.float32))
            due = writer.publish(face, 0, 0) + FRAME_NS
            while monotonic_ns() < due:
                shown.append(float(reader.read_at(monotonic_ns()).blendshapes[0]))
        assert len({round(value, 6) for value in shown}) > 12 + 1
