"""Programs of `cmd:` that do not want to end, under the real daemon."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import pytest
from support.process import start, wait_for

from edgeface.shm.reader import Reader
from edgeface.source.base import SourceLost
from edgeface.source.command import CommandSource

# delivers silence, and leaves behind whatever can be left behind; all of it carries the tag
NASTY = """
import os, signal, subprocess, sys, time
tag = sys.argv[1]
sleeper = [sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(999)", tag]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(sleeper, start_new_session=True)            # a session of its own
if os.fork() == 0:                                           # an orphan in a session of its own
    os.setsid()
    subprocess.Popen(sleeper)
    os._exit(0)
if os.fork() == 0:                                           # another user
    if os.getuid() == 0:
        os.setuid(65534)
    os.execv("/bin/sh", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done", tag])
subprocess.Popen(sleeper, env={}, start_new_session=True)    # without an environment
for _ in range(3):
    if os.fork() == 0:
        os._exit(0)                                          # a zombie
while True:
    os.write(1, bytes(640))
    time.sleep(0.02)
"""


@pytest.fixture
def tag():
    """An argument that marks all processes of a test; none may be left."""
    tag = f"edgeface-nasty-{os.getpid()}-{time.monotonic()}"
    yield tag
    left = marked(tag)
    subprocess.call(["pkill", "-9", "-f", tag])
    assert not left


def marked(tag):
    """Process ids with this argument, zombies included."""
    found = subprocess.run(["pgrep", "-f", tag], stdout=subprocess.PIPE, universal_newlines=True)
    return found.stdout.split()


@pytest.fixture
def nasty(tmp_path, tag):
    """Command line of the program."""
    path = tmp_path / "nasty.py"
    path.write_text(NASTY)
    return f"{sys.executable} {path} {tag}"


def test_nothing_is_left_of_a_program_that_does_not_want_to_end(nasty, tag, shm_name):
    daemon = start("run", "--source", f"cmd:{nasty}", "--shm", shm_name)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        wait_for(lambda: len(marked(tag)) >= 5)
    began = time.monotonic()
    daemon.terminate()
    assert daemon.wait(3) == 0, daemon.stderr.read()
    assert time.monotonic() - began < 2.0
    assert marked(tag) == []
    assert "Traceback" not in daemon.stderr.read()


def test_what_a_program_left_when_it_ended_by_itself_ends_too(nasty, tag, tmp_path):
    shell = tmp_path / "ends.sh"
    shell.write_text(f"setsid {nasty} > /dev/null & exec sleep 0.5\n")
    source = CommandSource(f"sh {shell} {tag}")
    source.open()
    with pytest.raises(SourceLost):
        while True:
            source.read(0.1)
    assert marked(tag)
    source.close()
    wait_for(lambda: marked(tag) == [], 2.0)


@pytest.mark.system
@pytest.mark.skipif(os.getuid() != 0, reason="needs a program of another user")
def test_a_program_of_another_user_keeps_nobody_from_ending(shm_name):
    """As `cmd:sudo ...`: the daemon may not end it, says so, and ends itself."""
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    program = os.path.join(folder, "becomes-root")
    code = "#include <unistd.h>\nint main(void) { return setuid(0) || sleep(31); }\n"
    subprocess.run(["gcc", "-x", "c", "-", "-o", program], input=code.encode(), check=True)
    os.chmod(program, 0o4755)
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    edgeface = [sys.executable, "-m", "edgeface"]
    daemon = subprocess.Popen(
        user + edgeface + ["run", "--source", f"cmd:{program}", "--shm", shm_name],
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        with Reader(shm_name) as reader:
            wait_for(lambda: reader.read() is not None)
        daemon.terminate()
        assert daemon.wait(3) == 0, daemon.stderr.read()
        subprocess.call(["pkill", "-9", "-f", program])  # it shares stderr
        assert "cannot be ended; it may belong to another user" in daemon.stderr.read()
    finally:
        daemon.kill()
        subprocess.call(["pkill", "-9", "-f", program])
        shutil.rmtree(folder)
