import mmap
import os
import signal
import stat
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import start, wait_for
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.errors import UsageError
from edgeface.motion.frame import Frame
from edgeface.shm import layout
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer


def frame(k, flags=0):
    rng = np.random.RandomState(k % 1000)
    return Frame(k, rng.randn(68, 3).astype(np.float32), rng.rand(52).astype(np.float32), 100.5, -20.25, flags)


@pytest.fixture
def writer(shm_name):
    with_writer = Writer(shm_name, 0x12345678, 0.08)
    yield with_writer
    with_writer.close()


def test_a_reader_gets_what_was_written(writer, shm_name):
    with Reader(shm_name) as reader:
        assert reader.read() is None
        for k in range(20):
            published = writer.publish(frame(k, flags=5), 640 * k, 10 ** 9 * k)
            got = reader.read()
            assert (got.index, got.audio_sample, got.audio_ns, got.publish_ns, got.flags) == (
                k, 640 * k, 10 ** 9 * k, published, 5)
            assert (got.rms_dbfs, got.f0_hz) == (-20.25, 100.5)
            assert (got.landmarks == frame(k).landmarks).all()
            assert (got.blendshapes == frame(k).blendshapes).all()
        header = reader.header()
        assert header["latest"] == 20
        assert header["pid"] == os.getpid()
        assert header["model_crc32"] == 0x12345678
        assert header["latency_ns"] == 80000000
        assert reader.rejected == 0


def test_permissions_and_size(writer):
    info = os.stat(writer.path)
    assert stat.S_IMODE(info.st_mode) == 0o640
    assert info.st_size == layout.SEGMENT_SIZE == 256 + 8 * 1088


def test_a_clean_end_removes_the_name_and_tells_readers(shm_name):
    writer = Writer(shm_name, 1, 0.0)
    writer.publish(frame(0), 0, 0)
    reader = Reader(shm_name)
    assert reader.alive
    writer.close()
    writer.close()
    assert not os.path.exists(writer.path)
    assert not reader.alive and reader.read() is None
    reader.close()


def test_a_second_writer_is_refused_and_the_first_goes_on(writer, shm_name):
    code = "import sys; from edgeface.shm.writer import Writer; Writer(sys.argv[1], 1, 0.0)"
    result = subprocess.run([sys.executable, "-c", code, shm_name], stderr=subprocess.PIPE, universal_newlines=True)
    assert "UnavailableError" in result.stderr and "another edgeface writes it" in result.stderr
    writer.publish(frame(3), 0, 0)
    with Reader(shm_name) as reader:
        assert reader.read().index == 0


def test_a_stale_segment_is_replaced(shm_name):
    path = layout.segment_path(shm_name)
    with open(path, "wb") as file:
        file.write(b"EFSH" + bytes(100))
    leftover = "/dev/shm/.%s.999999999" % shm_name
    open(leftover, "wb").close()
    with Reader(shm_name) as reader:
        assert not reader.alive
        writer = Writer(shm_name, 1, 0.0)
        assert not os.path.exists(leftover)
        assert reader.alive
        writer.close()


def test_a_writer_leaves_the_segment_of_its_successor(shm_name):
    writer = Writer(shm_name, 1, 0.0)
    os.unlink(writer.path)
    with open(writer.path, "wb") as file:
        file.write(bytes(layout.SEGMENT_SIZE))
    writer.close()
    assert os.path.exists(writer.path)
    os.unlink(writer.path)


def test_heartbeat_decides_who_lives(writer, shm_name):
    with Reader(shm_name) as reader:
        assert reader.alive
        writer.store(layout.HEARTBEAT_NS, 1)
        assert not reader.alive
        writer.heartbeat()
        assert reader.alive
        assert reader.attached == 1


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../x", "a" * 201])
def test_names_that_are_none(name):
    with pytest.raises(UsageError):
        Writer(name, 1, 0.0)
    with pytest.raises(ValueError):
        Reader(name)


@pytest.mark.parametrize("offset", [0, 4, 8, 12, 32, 60])
def test_a_damaged_header_is_not_believed(writer, shm_name, offset):
    with open(writer.path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))
        file.flush()
        with Reader(shm_name) as reader:
            assert not reader.alive
        file.seek(offset)
        file.write(byte)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_is_not_believed(data):
    name = "edgeface-test-bit-%d" % os.getpid()
    writer = Writer(name, 1, 0.0)
    try:
        writer.publish(frame(0), 640, 7)
        position = data.draw(st.integers(0, layout.SLOT_STRIDE * 8 - 1))
        with open(writer.path, "r+b") as file, mmap.mmap(file.fileno(), layout.SEGMENT_SIZE) as memory:
            memory[256 + position // 8] ^= 1 << position % 8
        with Reader(name) as reader:
            assert reader.read() is None
            assert reader.rejected == 3
    finally:
        writer.close()


def test_stores_out_of_order_are_not_believed(writer, shm_name):
    """What a processor may do that makes the sequence visible before the frame."""
    writer.publish(frame(0), 0, 0)
    writer.store(layout.slot_offset(1), 4)
    writer.store(layout.LATEST, 2)
    with Reader(shm_name) as reader:
        assert reader.read() is None


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=layout.SEGMENT_SIZE + 10))
def test_a_reader_survives_any_file(content):
    name = "edgeface-test-any-%d" % os.getpid()
    path = layout.segment_path(name)
    try:
        with open(path, "wb") as file:
            file.write(content)
        with Reader(name) as reader:
            assert not reader.alive and reader.read() is None and reader.header() is None
    finally:
        os.unlink(path)


def test_header_says_what_the_contract_says(writer):
    with open(writer.path, "rb") as file:
        content = file.read()
    assert content[:4] == b"EFSH"
    assert struct.unpack_from("<HHIIIIII", content, 4) == (1, 0, 256, 1088, 8, 68, 3, 52)
    assert struct.unpack_from("<II", content, 48) == (os.getpid(), 25000)
    assert content[128:256] == bytes(128)


# -- the C reader -----------------------------------------------------------------

C_OFFSETS = r"""
#define _GNU_SOURCE
#include "edgeface.h"
#define P(what) printf("%zu ", (size_t)(what))
int main(void) {
    P(sizeof(edgeface_segment)); P(sizeof(edgeface_frame)); P(offsetof(edgeface_segment, slots));
    P(offsetof(edgeface_segment, header_crc32)); P(offsetof(edgeface_segment, latest));
    P(offsetof(edgeface_segment, heartbeat_ns)); P(offsetof(edgeface_segment, state));
    P(offsetof(edgeface_segment, dropped_samples)); P(offsetof(edgeface_segment, source_restarts));
    P(offsetof(edgeface_segment, late_frames)); P(offsetof(edgeface_segment, inference_errors));
    P(offsetof(edgeface_segment, latency_ns));
    P(offsetof(edgeface_frame, frame_index)); P(offsetof(edgeface_frame, crc32));
    P(offsetof(edgeface_frame, level_dbfs)); P(offsetof(edgeface_frame, landmarks));
    P(offsetof(edgeface_frame, blendshapes));
    return 0;
}
"""

# prints "index sample audio publish flags level f0 landmark-sum blendshape-sum" for every new frame;
# the payload of a frame written by the test below must fit its index, else it was torn
C_READER = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include "edgeface.h"
int main(int argc, char **argv) {
    edgeface_reader r = {0};
    edgeface_frame f;
    uint64_t end = edgeface_now_ns() + (uint64_t)(atof(argv[2]) * 1e9), good = 0, torn = 0, lost = 0;
    int was_lost = 1;
    while (edgeface_now_ns() < end) {
        int got = edgeface_read(&r, argv[1], &f);
        if (got == EDGEFACE_LOST) lost += !was_lost;
        was_lost = got == EDGEFACE_LOST;
        if (got != EDGEFACE_NEW) { usleep(argc > 3 ? 20 : 2000); continue; }
        if (f.flags == 99) break; /* the last writer says so */
        good++;
        float expected = (float)((f.frame_index - 1) % 1000);
        int fits = 1;
        for (int i = 0; i < 68; i++) for (int k = 0; k < 3; k++) fits &= f.landmarks[i][k] == expected;
        torn += !fits;
        if (argc == 3) {
            printf("%llu %llu %llu %llu %u %g %g %g %g\n", (unsigned long long)f.frame_index,
                (unsigned long long)f.audio_sample, (unsigned long long)f.audio_ns, (unsigned long long)f.publish_ns,
                f.flags, f.level_dbfs, f.f0_hz, f.landmarks[67][2], f.blendshapes[51]);
            return 0;
        }
    }
    printf("good %llu torn %llu lost %llu attached %llu\n", (unsigned long long)good, (unsigned long long)torn,
           (unsigned long long)lost, (unsigned long long)r.attached);
    return 0;
}
"""

KILLED_WRITER = """
import sys, numpy as np
from edgeface.motion.frame import Frame
from edgeface.shm.writer import Writer
writer = Writer(sys.argv[1], 1, 0.0)
shapes = np.zeros(52, np.float32)
print("up", flush=True)
k = 0
while True:
    writer.publish(Frame(k, np.full((68, 3), k % 1000, np.float32), shapes, 0.0, 0.0, 0), k, k)
    k += 1
"""

PYTHON_READER = """
import sys, time
from edgeface.shm.reader import Reader
reader, end, good, torn = Reader(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0, 0
while time.monotonic() < end:
    frame = reader.read()
    if frame is not None:
        if frame.flags == 99:
            break
        good += 1
        torn += not (frame.landmarks == frame.index % 1000).all()
print("good", good, "torn", torn, "attached", reader.attached)
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    include = os.path.dirname(layout.__file__)
    for name, source in (("offsets", C_OFFSETS), ("reader", C_READER)):
        (folder / (name + ".c")).write_text(source)
        subprocess.check_call(["gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror",
                               "-I", include, str(folder / (name + ".c")), "-o", str(folder / name)])
    return folder


@pytest.mark.system
def test_c_and_python_agree_on_the_layout(compiled):
    numbers = [int(n) for n in subprocess.check_output([str(compiled / "offsets")]).split()]
    assert numbers == [
        layout.SEGMENT_SIZE, layout.SLOT_STRIDE, layout.HEADER_SIZE, layout.HEADER_CRC_OFFSET, layout.LATEST,
        layout.HEARTBEAT_NS, layout.STATE, layout.DROPPED_SAMPLES, layout.SOURCE_RESTARTS, layout.LATE_FRAMES,
        layout.INFERENCE_ERRORS, layout.LATENCY_NS, layout.SLOT_INDEX_OFFSET, layout.SLOT_CRC_OFFSET,
        layout.SLOT_VALUES_OFFSET, layout.SLOT_LANDMARKS_OFFSET, layout.SLOT_BLENDSHAPES_OFFSET]


@pytest.mark.system
def test_c_reads_what_python_writes(compiled, writer, shm_name):
    for k in range(11):
        published = writer.publish(frame(k, flags=33), 640 * k, 77)
    line = subprocess.check_output([str(compiled / "reader"), shm_name, "5"]).split()
    assert [int(v) for v in line[:5]] == [11, 6400, 77, published, 33]
    values = [float(v) for v in line[5:]]
    assert values == pytest.approx([-20.25, 100.5, frame(10).landmarks[67, 2], frame(10).blendshapes[51]], rel=1e-5)


@pytest.mark.system
@pytest.mark.slow
def test_200_kills_no_torn_frame_every_reader_attaches_again(compiled, shm_name):
    rng = np.random.RandomState(7)
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    commands = [[str(compiled / "reader"), shm_name, "250", "fast"],
                [sys.executable, "-c", PYTHON_READER, shm_name, "250"]]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for command in commands]
    for _ in range(200):
        writer = subprocess.Popen([sys.executable, "-c", KILLED_WRITER, shm_name], stdout=subprocess.PIPE,
                                  env=environment)
        writer.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.08))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    last = Writer(shm_name, 1, 0.0)
    last.publish(frame(0, flags=99), 0, 0)
    wait_for(lambda: last.heartbeat() or all(reader.poll() is not None for reader in readers))
    for reader in readers:
        words = reader.communicate()[0].decode().split()
        result = dict(zip(words[::2], map(int, words[1::2])))
        assert result["torn"] == 0
        assert result["good"] > 1000
        assert result["attached"] > 20
    last.close()


@pytest.mark.system
def test_a_full_dev_shm_is_one_line_and_leaves_nothing(shm_name, speech_wav, tmp_path):
    script = """
mount -t tmpfs -o size=16k tmpfs /dev/shm && head -c 12000 /dev/zero > /dev/shm/filler
%s -m edgeface run --source %s --shm %s; echo code $?; ls -A /dev/shm
""" % (sys.executable, speech_wav, shm_name)
    result = subprocess.run(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            universal_newlines=True)
    assert result.stdout.split() == ["code", "69", "filler"]
    assert result.stderr.count("\n") == 1 and "No space left on device" in result.stderr


@pytest.mark.system
def test_read_survives_a_restart_of_the_writer(shm_name, speech_wav):
    """`edgeface read` stays attached to the name while writers come and go."""
    writer = start("run", "--source", speech_wav, "--shm", shm_name)
    wait_for(lambda: os.path.exists("/dev/shm/" + shm_name))
    reader = start("read", "--shm", shm_name, "-n", "90")
    writer.wait()
    again = start("run", "--source", speech_wav, "--shm", shm_name)
    out, _ = reader.communicate(timeout=30)
    again.wait()
    indices = [int(line.split()[1]) for line in out.splitlines()]
    assert len(indices) == 90
    assert sum(b < a for a, b in zip(indices, indices[1:])) == 1
