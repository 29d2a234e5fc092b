"""Under a real systemd as PID 1 of namespaces of its own (tests/sysd.sh; needs root)."""

import json
import os
import subprocess
import sys

import pytest
from conftest import wait_for

import edgeface

pytestmark = pytest.mark.system

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.dirname(os.path.dirname(os.path.abspath(edgeface.__file__)))


class Machine:
    """A booted systemd, whose changes vanish with it."""

    def __init__(self, folder):
        # sources and interpreter, wherever they lie
        self._environment = dict(os.environ, SYSD_DIR=folder, SYSD_BIND="%s %s" % (SOURCES, sys.prefix))

    def sysd(self, *arguments):
        return subprocess.run([HERE + "/sysd.sh"] + list(arguments), env=self._environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)


@pytest.fixture(scope="module")
def machine():
    machine = Machine("/run/edgeface-test-%d" % os.getpid())
    started = machine.sysd("start")
    assert started.returncode == 0, started.stdout
    yield machine
    machine.sysd("stop")


def test_events_are_found_in_the_journal_by_their_field(machine):
    voice = os.path.join(SOURCES, "edgeface", "voice.flac")
    result = machine.sysd("exec", "systemd-run", "--unit=face", "--wait", "-E", "PYTHONPATH=" + SOURCES, sys.executable,
                          "-m", "edgeface", "run", "--source", voice, "--fast")
    assert result.returncode == 0, result.stdout
    found = wait_for(lambda: machine.sysd("exec", "journalctl", "EDGEFACE_EVENT=started", "-o", "json", "--no-pager",
                                          "-q").stdout)
    entry = json.loads(found.splitlines()[0])
    assert entry["MESSAGE"] == "running: %s to /dev/shm/edgeface" % voice
    assert entry["_SYSTEMD_UNIT"] == "face.service"
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]) == ("6", "edgeface")
