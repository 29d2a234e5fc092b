"""A stderr that is closed, blocked or broken does not disturb the daemon; where its events go."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from support.process import collect, wait_for

from edgeface.core.stdio import LineWriter
from edgeface.daemon import journal
from edgeface.shm.reader import Reader


def daemon(shm_name, stderr, source="cmd:/bin/true", **options):
    """`edgeface run` on a source that is lost again and again; Popen."""
    command = [sys.executable, "-m", "edgeface", "run", "--source", source, "--shm", shm_name]
    return subprocess.Popen(command, stderr=stderr, stdout=subprocess.DEVNULL, **options)


def end(process):
    """Asks it to stop; returns its exit code, and how long it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    return process.wait(10), time.monotonic() - began


def full_pipe():
    """(read end, write end) of a pipe into which nothing fits any more."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 4096)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(write_end, b"x")
    os.set_blocking(write_end, True)
    return read_end, write_end


def stopped_terminal():
    """(master, slave) of a terminal into which nothing fits any more, as after Ctrl-S."""
    master, slave = pty.openpty()
    flags = fcntl.fcntl(slave, fcntl.F_GETFL)
    fcntl.fcntl(slave, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(slave, b"x" * 512)
    fcntl.fcntl(slave, fcntl.F_SETFL, flags)
    return master, slave


@pytest.mark.parametrize("blocked", [full_pipe, stopped_terminal])
def test_a_blocked_stderr_does_not_hold_up_the_face_or_its_end(shm_name, blocked):
    kept, stderr = blocked()
    process = daemon(shm_name, stderr)
    try:
        with Reader(shm_name) as reader:
            wait_for(lambda: reader.read() is not None)
            frames = collect(reader, 2.0)
        assert len(frames) > 40, len(frames)
        code, took_s = end(process)
        assert code == 0 and took_s < 3.0, (code, took_s)
    finally:
        process.kill()
        process.wait()
        os.close(kept)
        os.close(stderr)


@pytest.mark.parametrize("redirection", ["2>&-", "2>&- >&- <&-", "2>&1 | true"])
def test_a_closed_stderr_is_no_failure_and_nothing_gets_its_number(shm_name, tmp_path, redirection):
    """The shell says how; the exit code comes through a file, since a pipeline has another."""
    config = tmp_path / "edgeface.yaml"
    config.write_text(
        f"audio: {{sources: ['cmd:/bin/true']}}\ntelemetry: {{log: {tmp_path}/log}}\n"
        f"output: {{shm: {shm_name}}}\n"
    )
    run = (
        f"'{sys.executable}' -m edgeface run --config {config} & echo $! > {tmp_path}/pid; wait $!"
    )
    script = f"{{ {run}; echo $? > {tmp_path}/code; }} {redirection}"
    shell = subprocess.Popen(["bash", "-c", script], stdout=subprocess.DEVNULL)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        pid = int((tmp_path / "pid").read_text())
        if redirection.startswith("2>&-"):
            assert os.readlink(f"/proc/{pid}/fd/2") == "/dev/null"
        time.sleep(0.5)
        assert reader.alive
    os.kill(pid, signal.SIGTERM)
    shell.wait(10)
    assert (tmp_path / "code").read_text() == "0\n"


def test_a_failure_is_told_by_its_code_where_stderr_is_closed_or_blocked(tmp_path):
    for redirection in ("2>&-", "2>/dev/full"):
        command = f"'{sys.executable}' -m edgeface run --config {tmp_path}/none {redirection}"
        assert subprocess.call(["bash", "-c", command]) == 66, redirection
    read_end, write_end = full_pipe()
    began = time.monotonic()
    command = [sys.executable, "-m", "edgeface", "run", "--config", str(tmp_path / "none")]
    assert subprocess.call(command, stderr=write_end) == 66
    assert time.monotonic() - began < 5.0
    os.close(read_end)
    os.close(write_end)


def test_lines_that_nobody_reads_are_lost_and_counted():
    read_end, write_end = full_pipe()
    writer = LineWriter(write_end)
    for i in range(150):
        writer.write(f"line {i}\n")
    assert not writer.is_idle
    os.set_blocking(read_end, False)
    text = b""
    while b"line 99\n" not in text:
        try:
            text += os.read(read_end, 1 << 16)
        except BlockingIOError:
            time.sleep(0.01)
    writer.write("after\n")
    writer.flush()
    lines = os.read(read_end, 1 << 16).decode().splitlines()
    assert lines[-1] == "after" and "lines were lost" in lines[-2], lines
    os.close(read_end)
    os.close(write_end)


def test_events_reach_the_terminal_of_a_shell_that_a_service_started(shm_name):
    """JOURNAL_STREAM is inherited from the service; stderr is another file."""
    process = daemon(
        shm_name,
        subprocess.PIPE,
        env=dict(os.environ, JOURNAL_STREAM="9:12345"),
        universal_newlines=True,
    )
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        time.sleep(0.5)
    process.terminate()
    _, errors = process.communicate(timeout=10)
    assert errors.startswith("edgeface: cmd:/bin/true"), errors


def test_only_the_journals_own_file_counts_as_the_journal(monkeypatch):
    status = os.fstat(2)
    ours = f"{status.st_dev}:{status.st_ino}"
    for value, expected in (
        (ours, True),
        (f"{status.st_dev}:{status.st_ino + 1}", False),
        (f"{status.st_dev + 1}:{status.st_ino}", False),
        ("", False),
        ("nonsense", False),
    ):
        monkeypatch.setenv("JOURNAL_STREAM", value)
        assert journal._stderr_is_the_journal() == expected, value
    monkeypatch.delenv("JOURNAL_STREAM")
    assert not journal._stderr_is_the_journal()
