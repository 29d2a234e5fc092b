import mmap
import os
import stat
import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.faces import random_frame
from support.process import start, wait_for

from edgeface.core.errors import UsageError
from edgeface.shm import layout
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer


def test_a_reader_gets_what_was_written(writer, shm_name):
    with Reader(shm_name) as reader:
        assert reader.read() is None
        for k in range(20):
            published = writer.publish(random_frame(k, flags=5), 640 * k, 10**9 * k)
            got = reader.read()
            assert (got.index, got.audio_sample, got.audio_ns, got.publish_ns, got.flags) == (
                k,
                640 * k,
                10**9 * k,
                published,
                5,
            )
            assert (got.rms_dbfs, got.f0_hz) == (-20.25, 100.5)
            assert (got.landmarks == random_frame(k).landmarks).all()
            assert (got.blendshapes == random_frame(k).blendshapes).all()
            assert (got.head == random_frame(k).head).all()
            assert (got.gaze == random_frame(k).gaze).all()
        header = reader.header()
        assert header["latest"] == 20
        assert header["pid"] == os.getpid()
        assert header["model_crc32"] == 0x12345678
        assert header["latency_ns"] == 80000000
        assert reader.rejected == 0


def test_permissions_and_size(writer):
    info = os.stat(writer.path)
    assert stat.S_IMODE(info.st_mode) == 0o640
    assert info.st_size == layout.SEGMENT_SIZE == 256 + 8 * 1152


def test_a_clean_end_removes_the_name_and_tells_readers(shm_name):
    writer = Writer(shm_name, 1, 0)
    writer.open()
    writer.publish(random_frame(0), 0, 0)
    reader = Reader(shm_name)
    assert reader.alive
    writer.close()
    writer.close()
    assert not os.path.exists(writer.path)
    assert not reader.alive and reader.read() is None
    reader.close()


def test_a_second_writer_is_refused_and_the_first_goes_on(writer, shm_name):
    code = "import sys; from edgeface.shm.writer import Writer; Writer(sys.argv[1], 1, 0).open()"
    result = subprocess.run(
        [sys.executable, "-c", code, shm_name], stderr=subprocess.PIPE, universal_newlines=True
    )
    assert "UnavailableError" in result.stderr and "another edgeface writes it" in result.stderr
    writer.publish(random_frame(3), 0, 0)
    with Reader(shm_name) as reader:
        assert reader.read().index == 0


def test_a_stale_segment_is_replaced(shm_name):
    path = layout.segment_path(shm_name)
    with open(path, "wb") as file:
        file.write(b"EFSH" + bytes(100))
    leftover = f"/dev/shm/.{shm_name}.999999999"
    open(leftover, "wb").close()
    with Reader(shm_name) as reader:
        assert not reader.alive
        writer = Writer(shm_name, 1, 0)
        writer.open()
        assert not os.path.exists(leftover)
        assert reader.alive
        writer.close()


def test_a_writer_leaves_the_segment_of_its_successor(shm_name):
    writer = Writer(shm_name, 1, 0)
    writer.open()
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
        Writer(name, 1, 0)
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
    name = f"edgeface-test-bit-{os.getpid()}"
    writer = Writer(name, 1, 0)
    writer.open()
    try:
        writer.publish(random_frame(0), 640, 7)
        position = data.draw(st.integers(0, layout.SLOT_STRIDE * 8 - 1))
        with open(writer.path, "r+b") as file, mmap.mmap(
            file.fileno(), layout.SEGMENT_SIZE
        ) as memory:
            memory[256 + position // 8] ^= 1 << position % 8
        with Reader(name) as reader:
            assert reader.read() is None
            assert reader.rejected == 3
    finally:
        writer.close()


def test_stores_out_of_order_are_not_believed(writer, shm_name):
    """What a processor may do that makes the sequence visible before the frame."""
    writer.publish(random_frame(0), 0, 0)
    writer.store(layout.slot_offset(1), 4)
    writer.store(layout.LATEST, 2)
    with Reader(shm_name) as reader:
        assert reader.read() is None


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=layout.SEGMENT_SIZE + 10))
def test_a_reader_survives_any_file(content):
    name = f"edgeface-test-any-{os.getpid()}"
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
    assert struct.unpack_from("<HHIIIIII", content, 4) == (1, 1, 256, 1152, 8, 68, 3, 52)
    assert struct.unpack_from("<II", content, 48) == (os.getpid(), 25000)
    assert content[128:256] == bytes(128)


@pytest.mark.system
def test_a_full_dev_shm_is_one_line_and_leaves_nothing(shm_name, speech_wav, tmp_path):
    script = f"""
mount -t tmpfs -o size=16k tmpfs /dev/shm && head -c 12000 /dev/zero > /dev/shm/filler
{sys.executable} -m edgeface run --source {speech_wav} --shm {shm_name}
echo code $?
ls -A /dev/shm
"""
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert result.stdout.split() == ["code", "69", "filler"]
    assert result.stderr.count("\n") == 1 and "No space left on device" in result.stderr


@pytest.mark.system
def test_read_survives_a_restart_of_the_writer(shm_name, speech_wav):
    """`edgeface read` stays attached to the name while writers come and go."""
    writer = start("run", "--source", speech_wav, "--shm", shm_name)
    wait_for(lambda: os.path.exists(f"/dev/shm/{shm_name}"))
    reader = start("read", "--shm", shm_name, "-n", "90")
    writer.wait()
    again = start("run", "--source", speech_wav, "--shm", shm_name)
    out, _ = reader.communicate(timeout=30)
    again.wait()
    indices = [int(line.split()[1]) for line in out.splitlines()]
    assert len(indices) == 90
    assert sum(b < a for a, b in zip(indices, indices[1:])) == 1
