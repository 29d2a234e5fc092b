"""The example with servos hears frames over a socket and moves a servo controller's port."""

import os
import select
import socket
import subprocess
import sys
import threading

import pytest
from support.bridge_frames import frame_of
from support.process import wait_for

from edgeface.bridge.osc import Osc

pytestmark = pytest.mark.system
RESTING = b"\x84\x00\x70\x2e" + b"\x84\x01\x70\x2e" + b"\x84\x02\x20\x1f"  # 1500, 1500, 1000 us


def read(port, size):
    """This many bytes that come out of the controller's port."""
    found = b""
    while len(found) < size:
        ready, _, _ = select.select([port], [], [], 30)
        assert ready, f"only {found}"
        found += os.read(port, size - len(found))
    return found


@pytest.fixture
def port():
    """Ends of a pseudo terminal: the controller's, and the name of the robot's."""
    controller, robot = os.openpty()
    yield controller, os.ttyname(robot)
    os.close(controller)
    os.close(robot)


def test_servos_follow_frames_and_rest_in_silence(port):
    controller, device = port
    servo = subprocess.Popen(
        [sys.executable, "-m", "edgeface.examples.servo"]
        + ["--listen", "127.0.0.1:0", "--maestro", device],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(servo.stdout), daemon=True)
    try:
        host, _, number = servo.stdout.readline().split()[-1].partition(":")
        reader.start()
        assert read(controller, 12) == RESTING
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            shapes = {"jawOpen": 0.25, "mouthPucker": 3.0, "eyeBlinkLeft": 1.0}
            for datagram in Osc("/edgeface").encode(frame_of(**shapes), 0.0):
                sender.sendto(datagram, (host, int(number)))
            jaw, lips, lids = wait_for(lambda: len(lines) >= 6 and lines[3:6], 60)
        assert [jaw, lips, lids] == ["jaw 1700 us\n", "lips 1200 us\n", "lids 1500 us\n"]
        assert read(controller, 24)[:12] == b"\x84\x00\x10\x35\x84\x01\x40\x25\x84\x02\x70\x2e"
        wait_for(lambda: len(lines) >= 9, 60)  # nothing is sent any more
        assert lines[6:9] == ["jaw 1500 us\n", "lips 1500 us\n", "lids 1000 us\n"]
    finally:
        servo.kill()
        servo.wait()
        reader.join(30)


def test_a_taken_port_is_one_line():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "edgeface.examples.servo", "--listen", f"127.0.0.1:{number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=60,
        )
    assert done.returncode == 69
    assert done.stderr.startswith("servo: ") and done.stderr.count("\n") == 1
