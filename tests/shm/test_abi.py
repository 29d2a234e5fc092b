"""Writers and readers of ABI 1.0 and 1.1 beside each other."""

import os
import struct
import subprocess
import zlib

import pytest
from support.faces import DATA, random_frame

from edgeface.shm import layout
from edgeface.shm.reader import Reader

_OLD_SIZE = 1088

READER = r"""
#define _GNU_SOURCE
#include HEADER
/* prints the newest frame's number, its last landmark and shape, and head and gaze as they are */
int main(int argc, char **argv) {
    edgeface_reader r = {0};
    edgeface_frame f;
    (void)argc;
    if (edgeface_read(&r, argv[1], &f) != EDGEFACE_NEW) return 1;
    printf("%d %.9g %.9g", (int)f.frame_index, f.landmarks[67][2], f.blendshapes[51]);
#ifdef HEAD
    for (int i = 0; i < 6; i++) printf(" %.9g", f.head[i]);
    for (int i = 0; i < 4; i++) printf(" %.9g", f.gaze[i]);
#endif
    return 0;
}
"""


def compiled(folder, header, *options):
    """A reader of the newest frame with this header."""
    (folder / "reader.c").write_text(READER.replace("HEADER", f'"{header}"'))
    warnings = ["-Wall", "-Wextra", "-Wno-unused-function", "-Werror"]
    program = str(folder / "reader")
    subprocess.check_call(
        ["gcc", "-std=c99", *warnings, *options, str(folder / "reader.c"), "-o", program]
    )
    return program


@pytest.fixture(scope="module")
def old_reader(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("old"), os.path.join(DATA, "edgeface_1_0.h"))


@pytest.fixture(scope="module")
def new_reader(tmp_path_factory):
    header = os.path.join(os.path.dirname(layout.__file__), "edgeface.h")
    return compiled(tmp_path_factory.mktemp("new"), header, "-DHEAD")


@pytest.fixture
def old_segment(writer, shm_name):
    """Name of a segment as a writer of ABI 1.0 leaves it: minor 0, and slots that are shorter."""
    for k in range(11):
        writer.publish(random_frame(k), 640 * k, 0)
    with open(writer.path, "rb") as file:
        new = file.read()
    header = bytearray(new[: layout.HEADER_SIZE])
    struct.pack_into("<HII", header, 6, 0, layout.HEADER_SIZE, _OLD_SIZE)
    struct.pack_into("<I", header, layout.HEADER_CRC_OFFSET, zlib.crc32(bytes(header[:60])))
    starts = [layout.slot_offset(n) for n in range(layout.SLOT_COUNT)]
    path = layout.segment_path(f"{shm_name}-old")
    with open(path, "wb") as file:
        file.write(bytes(header) + b"".join(new[at : at + _OLD_SIZE] for at in starts))
    yield os.path.basename(path)
    os.unlink(path)


def values_of(program, name):
    return [float(word) for word in subprocess.check_output([program, name]).split()]


@pytest.mark.system
def test_a_renderer_built_for_1_0_reads_a_segment_of_1_1(old_reader, writer, shm_name):
    for k in range(11):
        writer.publish(random_frame(k), 640 * k, 0)
    last = random_frame(10)
    expected = [11, last.landmarks[67, 2], last.blendshapes[51]]
    assert values_of(old_reader, shm_name) == pytest.approx(expected, rel=1e-6)


@pytest.mark.system
def test_a_renderer_built_for_1_1_has_head_and_gaze(new_reader, writer, shm_name):
    for k in range(11):
        writer.publish(random_frame(k), 640 * k, 0)
    last = random_frame(10)
    expected = [11, last.landmarks[67, 2], last.blendshapes[51], *last.head, *last.gaze]
    assert values_of(new_reader, shm_name) == pytest.approx(expected, rel=1e-6)


@pytest.mark.system
def test_in_c_head_and_gaze_of_a_writer_of_1_0_are_zero(new_reader, old_segment):
    last = random_frame(10)
    expected = [11, last.landmarks[67, 2], last.blendshapes[51]] + 10 * [0.0]
    assert values_of(new_reader, old_segment) == pytest.approx(expected, rel=1e-6)


def test_in_python_head_and_gaze_of_a_writer_of_1_0_are_zero(old_segment):
    with Reader(old_segment) as reader:
        frame = reader.read()
        assert frame.index == 10 and (frame.landmarks == random_frame(10).landmarks).all()
        assert not frame.head.any() and not frame.gaze.any()
        assert not reader.read_at(10**18).head.any()


@pytest.mark.system
def test_no_reader_takes_a_frame_whose_head_is_damaged(new_reader, writer, shm_name):
    writer.publish(random_frame(0), 0, 0)
    with open(writer.path, "r+b") as file:
        file.seek(layout.slot_offset(0) + layout.SLOT_LIFE_OFFSET + 3)
        file.write(b"\x55")
    with Reader(shm_name) as reader:
        assert reader.read() is None and reader.rejected == 3
    assert subprocess.call([new_reader, shm_name]) == 1
