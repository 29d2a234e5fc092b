"""What others do to the segment's name: pipes, foreign files, cuts, other namespaces."""

import os
import shutil
import struct
import subprocess
import sys
import time
import zlib

import pytest
from support.faces import random_frame
from support.process import wait_for

from edgeface.core.errors import UnavailableError
from edgeface.shm import layout, lock
from edgeface.shm.lock import WriterLock
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer

C_READER = r"""
#define _GNU_SOURCE
#include "edgeface.h"
int main(int argc, char **argv) {
    edgeface_reader r = {0};
    edgeface_frame f;
    (void)argc;
    for (;;) {
        printf("%d\n", edgeface_read(&r, argv[1], &f));
        fflush(stdout);
        usleep(20000);
    }
}
"""


@pytest.fixture(scope="module")
def c_reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    (folder / "reader.c").write_text(C_READER)
    subprocess.check_call(
        ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror"]
        + ["-I", os.path.dirname(layout.__file__), str(folder / "reader.c")]
        + ["-o", str(folder / "reader")]
    )
    return str(folder / "reader")


@pytest.fixture
def other_user():
    """A command prefix that runs as nobody."""
    if os.geteuid() != 0:
        pytest.fail("these tests need root, as CI has it")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def test_a_pipe_in_its_place_blocks_no_reader_and_is_replaced_by_a_writer(shm_name):
    os.mkfifo(layout.segment_path(shm_name))
    began = time.monotonic()
    with Reader(shm_name) as reader:
        assert reader.read() is None and not reader.alive
        with Writer(shm_name, 1, 0) as writer:
            writer.publish(random_frame(0), 0, 0)
            assert reader.read() is not None
    assert time.monotonic() - began < 2.0


@pytest.mark.system
def test_a_pipe_in_its_place_blocks_no_reader_in_c(c_reader, shm_name):
    os.mkfifo(layout.segment_path(shm_name))
    reader = subprocess.Popen([c_reader, shm_name], stdout=subprocess.PIPE)
    assert [reader.stdout.readline() for _ in range(3)] == [b"-1\n"] * 3
    reader.kill()
    reader.communicate()
    os.unlink(layout.segment_path(shm_name))


@pytest.mark.system
def test_a_file_of_somebody_else_is_named_with_its_owner(shm_name, other_user):
    """The folder is sticky: a user that is not root can neither remove nor replace it."""
    path = layout.segment_path(shm_name)
    open(path, "w").close()
    code = (
        "import sys; from edgeface.shm.writer import Writer\n"
        "try: Writer(sys.argv[1], 1, 0).open()\n"
        "except Exception as error: print(error)"
    )
    # the interpreter lies in a home folder that nobody may read: open it in a copy
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    result = subprocess.run(
        other_user + [python, "-c", code, shm_name],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    os.unlink(path)
    if "Permission denied" in result.stdout and "Traceback" in result.stdout:
        pytest.fail(f"nobody cannot read the sources here: {result.stdout}")
    assert "user 0 has left a file there" in result.stdout


def test_a_segment_that_is_cut_short_ends_no_reader(writer, shm_name):
    writer.publish(random_frame(0), 0, 0)
    with Reader(shm_name) as reader:
        assert reader.read() is not None
        os.truncate(writer.path, 128)
        assert reader.read() is None
        os.truncate(writer.path, 0)
        assert reader.read() is None and reader.header() is None
        os.truncate(writer.path, layout.SEGMENT_SIZE)  # or the writer would meet a SIGBUS


@pytest.mark.system
def test_a_segment_that_is_cut_short_ends_no_reader_in_c(c_reader, writer, shm_name):
    writer.publish(random_frame(0), 0, 0)
    reader = subprocess.Popen([c_reader, shm_name], stdout=subprocess.PIPE)
    assert reader.stdout.readline() == b"1\n"
    for size in (128, 0):
        os.truncate(writer.path, size)
        assert b"-1\n" in [reader.stdout.readline() for _ in range(3)]
    assert reader.poll() is None
    os.truncate(writer.path, layout.SEGMENT_SIZE)
    reader.kill()
    reader.communicate()


def test_a_state_of_a_later_version_has_a_name(writer, shm_name):
    writer.store(layout.STATE, 9)
    with Reader(shm_name) as reader:
        assert layout.state_name(reader.header()["state"]) == "state 9"


def longer(path):
    """Rewrites a segment as a later minor version would: header and slots with appended parts."""
    with open(path, "rb") as file:
        old = file.read()
    header = bytearray(old[: layout.HEADER_SIZE] + bytes(64))
    struct.pack_into("<H", header, 6, layout.ABI_MINOR + 1)
    struct.pack_into("<II", header, 8, layout.HEADER_SIZE + 64, layout.SLOT_STRIDE + 64)
    struct.pack_into("<I", header, layout.HEADER_CRC_OFFSET, zlib.crc32(bytes(header[:60])))
    slots = [
        old[layout.slot_offset(n) : layout.slot_offset(n) + layout.SLOT_STRIDE] + bytes(64)
        for n in range(layout.SLOT_COUNT)
    ]
    with open(path, "wb") as file:
        file.write(bytes(header) + b"".join(slots))


@pytest.mark.system
def test_readers_accept_a_longer_header_and_longer_slots(c_reader, writer, shm_name):
    for k in range(11):
        writer.publish(random_frame(k), 640 * k, 0)
    later = f"{shm_name}-later"
    path = layout.segment_path(later)
    shutil.copy(writer.path, path)
    longer(path)
    with Reader(later) as reader:
        frame = reader.read()
        assert frame.index == 10 and (frame.landmarks == random_frame(10).landmarks).all()
    reader = subprocess.Popen([c_reader, later], stdout=subprocess.PIPE)
    assert reader.stdout.readline() == b"1\n"
    reader.kill()
    reader.communicate()
    os.unlink(path)


@pytest.mark.system
def test_a_writer_in_another_pid_namespace_is_not_robbed(shm_name, tmp_path):
    """From there the process of the first one cannot be seen; its heart can."""
    with Writer(shm_name, 1, 0) as writer:
        instance = writer.instance_id
        code = (
            "import sys; from edgeface.shm.writer import Writer; Writer(sys.argv[1], 1, 0).open()"
        )
        second = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code, shm_name],
            env=dict(os.environ, RUNTIME_DIRECTORY=str(tmp_path)),
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        wait_for(lambda: writer.heartbeat() or second.poll() is not None)
        assert "stop that one" in second.stderr.read()
        with Reader(shm_name) as reader:
            assert reader.header()["instance_id"] == instance


def test_a_writer_whose_name_was_taken_by_a_living_one_waits_for_it(
    shm_name, monkeypatch, tmp_path
):
    first = Writer(shm_name, 1, 0)
    first.open()
    os.unlink(first.path)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with Writer(shm_name, 2, 0) as second:
        second.heartbeat()
        with pytest.raises(UnavailableError, match="stop that one"):
            first.renew_if_deleted()
        assert not second.renew_if_deleted()
    assert first.renew_if_deleted()
    first.close()


def test_locks_leave_no_file(monkeypatch, tmp_path):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    first = WriterLock("name")
    with pytest.raises(UnavailableError):
        WriterLock("name")
    first.release()
    WriterLock("name").release()
    assert os.listdir(str(tmp_path)) == []


def test_the_lock_is_where_the_user_has_its_runtime_files(monkeypatch, tmp_path):
    """Not in the first folder that systemd made for whatever purpose, such as metrics."""
    own, other = str(tmp_path / "own"), str(tmp_path / "metrics")
    monkeypatch.setenv("RUNTIME_DIRECTORY", other)
    monkeypatch.setenv("XDG_RUNTIME_DIR", own)
    monkeypatch.setattr(lock.os, "geteuid", lambda: 1000)
    assert lock.runtime_folder() == own
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert lock.runtime_folder() == other


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_runtime_folder_that_cannot_be_used_is_not_used(monkeypatch, tmp_path, kind):
    """The next one is in the temporary folder, unless somebody else made it first."""
    folder = tmp_path / "runtime"
    folder.write_text("")
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder if kind == "file" else folder / "below"))
    monkeypatch.setattr(lock.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(lock.os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UnavailableError, match="does not belong"):
        lock.runtime_folder()
    os.chown(str(tmp_path / f"edgeface-{os.getuid() + 1}"), os.getuid() + 1, -1)
    assert lock.runtime_folder() == str(tmp_path / f"edgeface-{os.getuid() + 1}")
