"""`edgeface bridge` as its users start it, heard over sockets by receivers that others wrote."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.faces import random_frame
from support.osc import decoded
from support.process import edgeface, start, wait_for
from support.web import free_port

from edgeface import cli
from edgeface.bridge import kinds
from edgeface.bridge.command_line import parse
from edgeface.bridge.shapes import PASCAL
from edgeface.config import Settings, load_settings
from edgeface.core.errors import UsageError
from edgeface.doctor import bridges as doctor
from edgeface.doctor.finding import BAD, OK, WARN
from edgeface.motion.face import BLENDSHAPES
from edgeface.shm.writer import Writer
from edgeface.telemetry.bridges import read_reports

SHAPES = np.linspace(0.0, 1.0, 52).astype(np.float32)


@contextlib.contextmanager
def publishing(name):
    """A writer that publishes the same face 25 times a second."""
    stop = threading.Event()
    with Writer(name, 1, 0) as writer:

        def run():
            k = 0
            while not stop.wait(0.04):
                frame = random_frame(k, flags=1)._replace(blendshapes=SHAPES)
                writer.publish(frame, 640 * k, 0)
                k += 1

        thread = threading.Thread(target=run)
        thread.start()
        yield writer
        stop.set()
        thread.join()


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.settimeout(60)
        found.bind(("127.0.0.1", 0))
        yield found


def values(kind, datagrams):
    """The 52 shapes in datagrams, as other programs read them; what is missing is NaN."""
    if kind == "livelink":
        from pylivelinkface import FaceBlendShape, PyLiveLinkFace

        _, face = PyLiveLinkFace.decode(datagrams[-1])
        return np.array([face.get_blendshape(shape) for shape in FaceBlendShape][:52])
    found = {}
    for address, arguments in decoded(datagrams):
        if kind == "osc":
            found[address.rpartition("/")[2]] = arguments[0]
        elif address == "/VMC/Ext/Blend/Val":
            found[arguments[0]] = arguments[1]
    names = BLENDSHAPES if kind == "osc" else PASCAL
    return np.array([found.get(name, np.nan) for name in names])


@pytest.mark.system
@pytest.mark.parametrize("kind", ["livelink", "vmc", "osc"])
@pytest.mark.parametrize("fps", [25, 60])
def test_a_face_arrives_and_a_neutral_one_at_the_end(kind, fps, shm_name, receiver):
    port = receiver.getsockname()[1]
    heard = []

    def shown():
        data, sender = receiver.recvfrom(4096)
        heard.append((data, sender))
        return values(kind, [data for data, _ in heard[-8:]])

    with publishing(shm_name):
        bridge = start("bridge", kind, f"127.0.0.1:{port}", "--shm", shm_name, "--fps", str(fps))
        wait_for(lambda: np.allclose(shown(), SHAPES, atol=2e-3), 60)
        bridge.send_signal(signal.SIGTERM)
        wait_for(lambda: np.allclose(shown(), 0, atol=2e-3), 60)
    assert bridge.wait(30) == 0
    assert bridge.stderr.read().count("\n") == 1
    assert len({sender for _, sender in heard}) == 1


@pytest.mark.system
def test_without_a_writer_receivers_hear_neutral_faces_and_later_the_face(shm_name, receiver):
    port = receiver.getsockname()[1]
    bridge = start("bridge", "livelink", f"127.0.0.1:{port}", "--shm", shm_name)
    for _ in range(3):
        assert not values("livelink", [receiver.recv(4096)]).any()
    with publishing(shm_name):
        wait_for(lambda: np.allclose(values("livelink", [receiver.recv(4096)]), SHAPES), 60)
    wait_for(lambda: not values("livelink", [receiver.recv(4096)]).any(), 60)
    bridge.send_signal(signal.SIGINT)
    assert bridge.wait(30) == 0


def test_a_phone_answers_its_clients(shm_name):
    network = f"127.{os.getpid() >> 8 & 127}.{os.getpid() & 255}"  # all of them use one port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.bind((f"{network}.3", 49983))
        bridge = start("bridge", "ifacialmocap", f"{network}.2", "--shm", shm_name)

        def ask():
            hello = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719|sendDataVersion=v2"
            client.sendto(hello, (f"{network}.2", 49983))
            client.settimeout(0.5)
            with contextlib.suppress(socket.timeout, ConnectionRefusedError):
                return client.recv(4096)

        assert b"|jawOpen&0|" in wait_for(ask, 60)
        bridge.send_signal(signal.SIGTERM)
        assert bridge.wait(30) == 0


def test_pages_are_a_kind_like_the_others(shm_name):
    with publishing(shm_name):
        place = f"127.0.0.1:{free_port()}"
        bridge = start("bridge", "web", "--listen", place, "--shm", shm_name)
        url = wait_for(lambda: re.search(r"http://\S+", bridge.stderr.readline()), 60).group()
        with urllib.request.urlopen(url, timeout=60) as stream:
            assert stream.readline().startswith(b"data: ")
            (report,) = wait_for(
                lambda: [r for r in read_reports() if r.pid == bridge.pid and r.packets], 60
            )
        assert (report.name, report.targets) == (f"web {url}", 1)
        bridge.send_signal(signal.SIGTERM)
        assert bridge.wait(30) == 0
    result = cli.main(["bridge", "web", "--listen", "127.0.0.1:x", "--shm", shm_name])
    assert result == 2


def test_what_it_sent_is_seen_by_others(shm_name, receiver):
    with receiver:
        port = receiver.getsockname()[1]
    bridge = start("bridge", "vmc", f"127.0.0.1:{port}", "--shm", shm_name)

    def report():
        return [report for report in read_reports() if report.pid == bridge.pid]

    (found,) = wait_for(lambda: [r for r in report() if r.refused > 1], 60)
    assert found.name == f"vmc 127.0.0.1:{port}"
    assert found.error == f"127.0.0.1 port {port}: Connection refused"
    top = edgeface("top", "-n", "1", "--config", "")
    assert f"{found.name}: packets " in top.stdout and "Connection refused" in top.stdout
    findings = [finding for finding in doctor.running(Settings()) if found.name in finding.found]
    assert findings[0].state == WARN and "start the receiver" in findings[0].fix
    bridge.send_signal(signal.SIGTERM)
    assert bridge.wait(30) == 0 and report() == []
    assert "Connection refused; frames that nobody takes are dropped" in bridge.stderr.read()


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        ((), 2, "give either a kind and its target, or --name"),
        (("vmc",), 2, "HOST[:PORT]"),
        (("dance", "a"), 2, "dance"),
        (("osc", "robot"), 2, "robot: no port; write robot:PORT"),
        (("vmc", "a:99999"), 2, "port 99999 is out of range"),
        (("vmc", "a", "--fps", "24"), 2, "--fps 24: out of range; 25 to 60"),
        (("vmc", "a", "--names", "x"), 2, "vrm0"),
        (("vmc", "a", "--shm", "a/b"), 2, "a/b"),
        (("livelink", "a", "--subject", ""), 2, "subject"),
        (("osc", "a:1", "--prefix", "x"), 2, "prefix"),
        (("ifacialmocap", "192.0.2.1"), 69, "192.0.2.1:49983: Cannot assign requested address"),
        (("--name", "desk", "--config", ""), 78, "bridges.desk: there is no such entry"),
        (("--name", "desk", "vmc", "a"), 2, "give either"),
    ],
)
def test_mistakes_are_named_before_anything_starts(arguments, code, words, capfd):
    try:
        got = cli.main(["bridge", *arguments])
    except SystemExit as end:  # argparse
        got = end.code
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("edgeface")]
    assert got == code and len(lines) == 1 and words in lines[0], lines


CONFIG = """
output: {shm: %s}
bridges:
  desk: {command: "osc 127.0.0.1:%d --prefix '/a b'"}
  studio: {command: osc 127.0.0.1:%d --prefix /face}
  typo: {command: vmcc 127.0.0.1}
  open: {command: "osc 'a"}
  empty:
  shm: {command: vmc a --shm b}
  help: {command: vmc --help}
"""


def test_bridges_of_the_configuration(shm_name, tmp_path, receiver, capfd):
    port = receiver.getsockname()[1]
    path = tmp_path / "edgeface.yaml"
    path.write_text(CONFIG % (shm_name, port, port))
    bridge = start("bridge", "--name", "studio", "--config", str(path))
    assert b"/face/jawOpen" in receiver.recv(4096)
    bridge.send_signal(signal.SIGHUP)
    assert bridge.wait(30) == 0
    for name, words in (
        ("typo", "invalid choice: 'vmcc'"),
        ("open", "No closing quotation"),
        ("empty", "no kind; one of livelink, vmc, osc, ifacialmocap, web"),
        ("shm", "unrecognized arguments: --shm b"),
        ("help", "--help has no place here"),
        ("desk", "prefix '/a b'"),
        ("other", "there is no such entry; there is desk, studio, typo"),
    ):
        assert cli.main(["bridge", "--name", name, "--config", str(path)]) == 78
        error = capfd.readouterr().err
        assert error.startswith(f"edgeface: {path}: bridges.{name}: ")
        assert words in error and error.count("\n") == 1, error
    findings = {finding.check: finding for finding in doctor.configured(load_settings(str(path)))}
    assert findings["bridges.studio"][1:3] == (OK, f"osc 127.0.0.1:{port}")
    assert [name for name, finding in findings.items() if finding.state == BAD] == [
        f"bridges.{name}" for name in ("desk", "typo", "open", "empty", "shm", "help")
    ]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60) | st.text("vmcoslivelink -fps=25'\"\\:1", max_size=60))
def test_any_text_is_a_bridge_or_is_refused(text):
    try:
        options = parse(text)
    except UsageError:
        return
    assert options.kind in kinds.KINDS


def test_a_bridge_needs_no_model_and_no_sound():
    libraries = ("onnxruntime", "sounddevice", "soundfile")
    code = (
        "import sys; from edgeface.commands import bridge;"
        f" print([name for name in {libraries} if name in sys.modules])"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    assert subprocess.check_output([sys.executable, "-c", code], env=environment) == b"[]\n"
