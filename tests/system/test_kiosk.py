"""The kiosk unit under a real systemd: a user's manager, an X server, a real browser."""

import struct

import numpy as np
import pytest
from support.machine import Machine, fetch_wheels, install
from support.process import wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(600)]

SIZE = "800x900"


@pytest.fixture
def machine():
    machine = Machine("edgeface-kiosk")
    yield machine
    machine.stop()


def screenshot(machine):
    """RGB [height, width, 3] of the frame buffer, an XWD file that Xvfb keeps."""
    machine.output("cp", "/tmp/screen/Xvfb_screen0", "/tmp/shot")
    path = f"/proc/{machine.pid}/root/tmp/shot"
    with open(path, "rb") as file:
        data = file.read()
    size, _, _, _, width, height = struct.unpack(">6I", data[:24])
    stride, colours = struct.unpack(">I", data[48:52])[0], struct.unpack(">I", data[76:80])[0]
    start = size + 12 * colours
    pixels = np.frombuffer(data[start : start + height * stride], np.uint8).reshape(height, stride)
    return pixels[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].astype(int)


def skin(image):
    return (
        (image[..., 0] > 200)
        & (image[..., 1] > 140)
        & (image[..., 2] > 100)
        & (image[..., 2] < 215)
    ).mean()


def test_the_face_fills_the_screen_and_a_browser_that_dies_comes_back(machine):
    fetch_wheels()
    machine.output("useradd", "--create-home", "visitor")
    uid = machine.output("id", "-u", "visitor")
    runtime = f"/run/user/{uid}"
    machine.output("install", "-d", "-o", "visitor", "-m", "700", runtime)
    machine.output("install", "-d", "/tmp/screen")
    machine.output(
        "systemd-run",
        "--unit=screen",
        "Xvfb",
        ":0",
        "-screen",
        "0",
        f"{SIZE}x24",
        "-fbdir",
        "/tmp/screen",
    )
    # a desktop has a window manager, without which no window can fill the screen
    machine.output("systemd-run", "--unit=windows", "-E", "DISPLAY=:0", "openbox")
    machine.output(
        "systemd-run",
        "--unit=manager",
        "--uid=visitor",
        "-p",
        "Delegate=yes",
        "-E",
        f"XDG_RUNTIME_DIR={runtime}",
        "-E",
        "DISPLAY=:0",
        "-E",
        "HOME=/home/visitor",
        "/lib/systemd/systemd",
        "--user",
    )

    def manage(*arguments):
        return machine.run(
            "runuser",
            "-u",
            "visitor",
            "--",
            "env",
            f"XDG_RUNTIME_DIR={runtime}",
            "systemctl",
            "--user",
            *arguments,
        )

    wait_for(
        lambda: manage("is-system-running").stdout.strip() in ("running", "degraded", "starting")
    )
    installed = install(machine)
    assert installed.returncode == 0, installed.stdout
    machine.output("systemctl", "stop", "edgeface-view")
    manage("daemon-reload")
    started = manage("start", "edgeface-kiosk")
    assert started.returncode == 0, started.stdout
    # the page is not there yet: the kiosk waits for it, and the daemon for nobody
    assert manage("is-active", "edgeface-kiosk").stdout.strip() == "active"
    assert machine.output("systemctl", "is-active", "edgeface") == "active"
    machine.output("systemctl", "start", "edgeface-view")
    wait_for(lambda: skin(screenshot(machine)) > 0.1, 60.0, poll=0.5)
    image = screenshot(machine)
    assert image.shape[:2] == (900, 800)
    # the page's background, bluish and never black, reaches every edge but where the shoulders are
    edge = np.concatenate((image[0], image[:700, 0], image[:700, -1]))
    assert (edge.min(axis=1) > 15).all() and (edge[:, 2] >= edge[:, 0]).all() and edge.max() < 120
    rows, columns = np.nonzero(
        (image[..., 0] > 200) & (image[..., 1] > 140) & (image[..., 2] < 215)
    )
    assert rows.max() - rows.min() > 450 and abs((columns.min() + columns.max()) / 2 - 400) < 30
    machine.output("pkill", "-KILL", "-u", "visitor", "-f", "chromium")
    wait_for(lambda: skin(screenshot(machine)) < 0.1, 20.0, poll=0.2)
    wait_for(lambda: skin(screenshot(machine)) > 0.1, 60.0, poll=0.5)
