import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.faces import random_frame
from support.process import wait_for

from edgeface.shm import layout
from edgeface.shm.writer import Writer

C_OFFSETS = r"""
#define _GNU_SOURCE
#include "edgeface.h"
#define P(what) printf("%zu ", (size_t)(what))
int main(void) {
    P(sizeof(edgeface_header)); P(sizeof(edgeface_frame));
    P(offsetof(edgeface_header, header_crc32)); P(offsetof(edgeface_header, latest));
    P(offsetof(edgeface_header, heartbeat_ns)); P(offsetof(edgeface_header, state));
    P(offsetof(edgeface_header, dropped_samples)); P(offsetof(edgeface_header, source_restarts));
    P(offsetof(edgeface_header, late_frames)); P(offsetof(edgeface_header, inference_errors));
    P(offsetof(edgeface_header, latency_ns));
    P(offsetof(edgeface_frame, frame_index)); P(offsetof(edgeface_frame, crc32));
    P(offsetof(edgeface_frame, level_dbfs)); P(offsetof(edgeface_frame, landmarks));
    P(offsetof(edgeface_frame, blendshapes)); P(offsetof(edgeface_frame, head));
    P(offsetof(edgeface_frame, crc32_1_1));
    return 0;
}
"""

# prints "index sample audio publish flags level f0 landmark blendshape" of a new frame;
# the payload of a frame written by the test below must fit its index, else it was torn
C_READER = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include "edgeface.h"
int main(int argc, char **argv) {
    edgeface_reader r = {0};
    edgeface_frame f;
    uint64_t end = edgeface_now_ns() + (uint64_t)(atof(argv[2]) * 1e9);
    unsigned long long good = 0, torn = 0, lost = 0;
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
        for (int i = 0; i < 68 * 3; i++) fits &= (&f.landmarks[0][0])[i] == expected;
        torn += !fits;
        if (argc == 3) {
            printf("%llu %llu %llu %llu %u %g %g %g %g\n", (unsigned long long)f.frame_index,
                (unsigned long long)f.audio_sample, (unsigned long long)f.audio_ns,
                (unsigned long long)f.publish_ns,
                f.flags, f.level_dbfs, f.f0_hz, f.landmarks[67][2], f.blendshapes[51]);
            return 0;
        }
    }
    printf("good %llu torn %llu lost %llu attached %llu\n", good, torn, lost,
           (unsigned long long)r.attached);
    return 0;
}
"""

# forks a writer for every line of its input, and prints its number
WRITERS = """
import os, signal, sys, numpy as np
from edgeface.motion.frame import Frame
from edgeface.shm.writer import Writer

signal.signal(signal.SIGCHLD, signal.SIG_IGN)

def write_for_ever():
    writer = Writer(sys.argv[1], 1, 0)
    writer.open()
    shapes = np.zeros(52, np.float32)
    print(os.getpid(), flush=True)
    k = 0
    while True:
        writer.publish(Frame(k, np.full((68, 3), k % 1000, np.float32), shapes, 0.0, 0.0, 0), k, k)
        k += 1

for _ in iter(sys.stdin.readline, ""):
    if os.fork() == 0:
        write_for_ever()
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
        (folder / f"{name}.c").write_text(source)
        subprocess.check_call(
            [
                "gcc",
                "-std=c99",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Wno-unused-function",
                "-Werror",
                "-I",
                include,
                str(folder / f"{name}.c"),
                "-o",
                str(folder / name),
            ]
        )
    return folder


@pytest.mark.system
def test_c_and_python_agree_on_the_layout(compiled):
    numbers = [int(n) for n in subprocess.check_output([str(compiled / "offsets")]).split()]
    assert numbers == [
        layout.HEADER_SIZE,
        layout.SLOT_STRIDE,
        layout.HEADER_CRC_OFFSET,
        layout.LATEST,
        layout.HEARTBEAT_NS,
        layout.STATE,
        layout.DROPPED_SAMPLES,
        layout.SOURCE_RESTARTS,
        layout.LATE_FRAMES,
        layout.INFERENCE_ERRORS,
        layout.LATENCY_NS,
        layout.SLOT_INDEX_OFFSET,
        layout.SLOT_CRC_OFFSET,
        layout.SLOT_VALUES_OFFSET,
        layout.SLOT_LANDMARKS_OFFSET,
        layout.SLOT_BLENDSHAPES_OFFSET,
        layout.SLOT_LIFE_OFFSET,
        layout.SLOT_LIFE_CRC_OFFSET,
    ]


@pytest.mark.system
def test_c_reads_what_python_writes(compiled, writer, shm_name):
    for k in range(11):
        published = writer.publish(random_frame(k, flags=33), 640 * k, 77)
    line = subprocess.check_output([str(compiled / "reader"), shm_name, "5"]).split()
    assert [int(v) for v in line[:5]] == [11, 6400, 77, published, 33]
    values, last = [float(v) for v in line[5:]], random_frame(10)
    assert values == pytest.approx(
        [-20.25, 100.5, last.landmarks[67, 2], last.blendshapes[51]], rel=1e-5
    )


@pytest.mark.system
@pytest.mark.slow
def test_60_kills_no_torn_frame_every_reader_attaches_again(compiled, shm_name):
    rng = np.random.RandomState(7)
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    commands = [
        [str(compiled / "reader"), shm_name, "250", "fast"],
        [sys.executable, "-c", PYTHON_READER, shm_name, "250"],
    ]
    readers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for command in commands
    ]
    with subprocess.Popen(
        [sys.executable, "-c", WRITERS, shm_name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as writers:
        for _ in range(60):
            writers.stdin.write(b"\n")
            writers.stdin.flush()
            pid = int(writers.stdout.readline())
            time.sleep(rng.uniform(0.0, 0.25))  # for readers on a busy machine, too
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda pid=pid: not os.path.exists(f"/proc/{pid}"))
        writers.stdin.close()
    last = Writer(shm_name, 1, 0)
    last.open()
    last.publish(random_frame(0, flags=99), 0, 0)
    wait_for(lambda: last.heartbeat() or all(reader.poll() is not None for reader in readers))
    for reader in readers:
        words = reader.communicate()[0].decode().split()
        result = dict(zip(words[::2], map(int, words[1::2])))
        assert result["torn"] == 0
        assert result["good"] > 300
        assert result["attached"] > 6
    last.close()
