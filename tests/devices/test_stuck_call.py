"""A call into the sound system that never returns keeps nobody from devices that come later."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.system

# ALSA waits for a writer of the pipe `stuck` when that device is opened
STUCK = """
import itertools, os, sys, threading
from edgeface.core.errors import UnavailableError
from edgeface.devices import portaudio
from edgeface.source.mic import MicSource

folder = os.environ["FOLDER"]
changes = itertools.count()
portaudio.fingerprint = lambda: next(changes)

def configure(*devices):
    with open(folder + "/asound.conf", "w") as file:
        file.write("pcm.!default { type null }\\nctl.!default { type hw card 0 }\\n")
        for name, kind in devices:
            file.write("pcm.%s { %s hint.description x }\\n" % (name, kind))

NULL = "type null"
STUCK = 'type file slave.pcm { type null } file /dev/null infile "%s/pipe" format raw' % folder
os.mkfifo(folder + "/pipe")
writer = os.open(folder + "/pipe", os.O_RDWR)
configure(("stuck", STUCK))
portaudio.load()
os.close(writer)
try:
    MicSource("stuck").open()
except UnavailableError as error:
    print(error)
configure(("after", NULL))
found = None
while found is None:
    with portaudio.DEVICES.turn():
        try:
            found = portaudio.DEVICES.find("after", "input")
        except UnavailableError:
            continue
after = MicSource("after")
after.open()
after.close()
calls = [thread for thread in threading.enumerate() if thread.name == "edgeface-call"]
print(found["name"], len(portaudio._spares), len(calls))
sys.stdout.flush()
os._exit(0)
"""


def test_a_device_that_comes_after_a_call_that_never_returns_is_found(tmp_path):
    environment = dict(
        os.environ,
        FOLDER=str(tmp_path),
        ALSA_CONFIG_PATH=f"{tmp_path}/asound.conf",
        PULSE_SERVER="unix:/nowhere",
    )
    result = subprocess.run(
        [sys.executable, "-c", STUCK],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
    )
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert result.stdout.splitlines() == [
        "mic:stuck: the sound server does not answer; restart it",
        "after 1 1",
    ]
