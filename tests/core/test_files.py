"""Regular files alone are read; outputs are replaced as a whole, and nothing else is."""

import os
import stat
import threading

import pytest

from edgeface.core.errors import UnavailableError
from edgeface.core.files import (
    open_regular,
    output_file,
    read_regular,
    remove_unfinished,
    replacing,
    sha256_of,
)


def write(path, content=b"new"):
    with replacing(str(path)) as file:
        file.write(content)


def mode_of(path):
    return stat.S_IMODE(os.stat(str(path)).st_mode)


@pytest.mark.parametrize("read", [open_regular, sha256_of, lambda path: read_regular(path, 10)])
def test_only_regular_files_are_read(tmp_path, read):
    os.mkfifo(str(tmp_path / "fifo"))
    (tmp_path / "link").symlink_to("fifo")
    for name in ("fifo", "link", "."):
        pytest.raises(OSError, read, str(tmp_path / name))
    pytest.raises(OSError, read, "/dev/zero")
    pytest.raises(FileNotFoundError, read, str(tmp_path / "missing"))


def test_a_read_is_bounded(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    assert read_regular(str(path), 10) == b"0123456789"
    with pytest.raises(OSError) as caught:
        read_regular(str(path), 9)
    assert "larger than 9 bytes" in caught.value.strerror


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a"
    with replacing(str(path)) as file:
        file.write(b"new")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError), replacing(str(path)) as file:
        file.write(b"part")
        raise ZeroDivisionError
    assert path.read_bytes() == b"new" and os.listdir(str(tmp_path)) == ["a"]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "a")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "a") == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o777])
def test_permissions_and_owner_stay(tmp_path, mode):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    if os.geteuid() == 0:
        os.chown(str(path), 12345, 23456)
    path.chmod(mode)
    before = os.stat(str(path))
    write(path)
    after = os.stat(str(path))
    assert path.read_bytes() == b"new" and mode_of(path) == mode
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_links_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real/a")
    (tmp_path / "dangling").symlink_to("real/b")
    for link, file in (("link", "a"), ("dangling", "b")):
        write(tmp_path / link)
        assert (tmp_path / link).is_symlink()
        assert (tmp_path / "real" / file).read_bytes() == b"new"
    (tmp_path / "loop").symlink_to("loop")
    pytest.raises(OSError, write, tmp_path / "loop")


def test_a_pipe_gets_the_content_and_stays_a_pipe(tmp_path):
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    pytest.raises(OSError, write, path)  # nobody reads: an error, no wait
    received = []

    def read():
        with open(path, "rb") as file:
            received.append(file.read())

    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    reader = threading.Thread(target=read)
    reader.start()
    write(path, bytes(1000000))
    reader.join()
    os.close(descriptor)
    assert received == [bytes(1000000)] and stat.S_ISFIFO(os.stat(path).st_mode)
    assert os.listdir(str(tmp_path)) == ["fifo"]


def test_a_device_gets_the_content_and_stays_a_device(tmp_path):
    """A node of the same kind as /dev/null, whose loss breaks a machine."""
    path = str(tmp_path / "null")
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        write(path)
    except PermissionError:
        pytest.skip("only root makes device nodes, where the file system allows them")
    assert stat.S_ISCHR(os.stat(path).st_mode) and os.stat(path).st_rdev == os.makedev(1, 3)
    full = str(tmp_path / "full")
    os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    with pytest.raises(UnavailableError), output_file(full) as file:
        file.write(b"new")


def test_a_file_without_a_name_is_written_through(tmp_path):
    with open(str(tmp_path / "a"), "w+b") as file:
        os.unlink(str(tmp_path / "a"))
        write(f"/proc/self/fd/{file.fileno()}")
        file.seek(0)
        assert file.read() == b"new"
    assert os.listdir(str(tmp_path)) == []


def test_a_planted_name_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda count: "00")
    (tmp_path / "victim").write_bytes(b"old")
    (tmp_path / ".edgeface-00.tmp").symlink_to("victim")
    pytest.raises(OSError, write, tmp_path / "a")
    assert (tmp_path / "victim").read_bytes() == b"old" and not (tmp_path / "a").exists()
    assert (tmp_path / ".edgeface-00.tmp").is_symlink()


def test_a_folder_is_refused_before_anything_is_computed(tmp_path):
    with pytest.raises(UnavailableError) as caught, output_file(str(tmp_path)):
        raise AssertionError("the block ran")
    assert str(tmp_path) in str(caught.value) and os.listdir(str(tmp_path)) == []


def test_what_is_not_finished_can_be_removed_at_once(tmp_path):
    write(tmp_path / "a")
    with pytest.raises(FileNotFoundError), replacing(str(tmp_path / "a")):
        assert len(os.listdir(tmp_path)) == 2
        remove_unfinished()
        assert os.listdir(tmp_path) == ["a"]
    remove_unfinished()
    assert os.listdir(tmp_path) == ["a"]
