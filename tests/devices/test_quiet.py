"""Libraries say nothing on stderr; what this process says itself arrives."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.system

TALK = """
import ctypes, os, sys, threading, time
from edgeface.devices import portaudio

def open_devices():
    sounddevice = portaudio.load()
    for _ in range(3):
        try:
            sounddevice.InputStream(device="nowhere" if not sounddevice.query_devices() else None)
        except Exception:  # which one is PortAudio's business: it is about what is printed
            pass
        sounddevice._terminate()
        portaudio._initialize(sounddevice)

thread = threading.Thread(target=open_devices)
thread.start()
lines = 0
while thread.is_alive():
    os.write(2, b"ours\\n")
    lines += 1
    time.sleep(0.0002)
libc = ctypes.CDLL(None)
libc.perror(b"theirs")
print(lines)
"""


def test_chatter_is_silent_and_no_line_of_ours_is_lost(tmp_path):
    environment = {"PULSE_SERVER": f"unix:{tmp_path}/nowhere", "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [sys.executable, "-c", TALK],
        env=dict(environment, PYTHONPATH=":".join(path for path in sys.path if path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert set(lines) == {"ours"}, lines[:5]
    assert len(lines) == int(result.stdout) > 100
