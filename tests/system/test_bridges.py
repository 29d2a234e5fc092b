"""A real daemon and a real bridge of each kind, and at the other end receivers that others wrote.

Every face that a receiver decodes must be one that the daemon published, bit for bit.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import wave

import numpy as np
import pytest
from support import process
from support.osc import decoded

from edgeface.bridge.shapes import PASCAL
from edgeface.bridge.vrchat import VrChat
from edgeface.motion.face import BLENDSHAPES

pytestmark = [pytest.mark.system, pytest.mark.slow]
FRAMES = 40
HELLO = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"


def receiver(host="127.0.0.1", port=0):
    """A socket that listens, and where it does."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    sock.settimeout(60)
    return sock, "{}:{}".format(*sock.getsockname())


@pytest.fixture
def published(clips, tmp_path, shm_name):
    """Starts a daemon that speaks; the function returned ends it and gives its blendshapes."""
    wav, npz = str(tmp_path / "speech.wav"), str(tmp_path / "frames.npz")
    with wave.open(wav, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(clips["samples"].tobytes())
    daemon = process.start("run", "--source", wav, "--shm", shm_name, "--frames-out", npz)
    process.wait_for(lambda: os.path.exists(f"/dev/shm/{shm_name}"), 60)

    def ended():
        daemon.send_signal(signal.SIGINT)
        assert daemon.wait(60) == 0, daemon.stderr.read()
        with np.load(npz) as motion:
            return motion["blendshapes"]

    return ended


def bridge(shm_name, kind, *arguments):
    return process.start("bridge", kind, *arguments, "--shm", shm_name)


def end(running):
    """Ends a bridge; its last frame is the neutral face."""
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0, running.stderr.read()


def assert_follows(faces, published, tolerance=0.0):
    """Whether the faces are published ones in their order; a busy machine may leave some out."""
    published = np.clip(published, 0, 1)
    k = 0
    for face in faces:
        while np.abs(published[k] - face).max() > tolerance:
            k += 1
            assert k < len(published), "a face that was never published, or not in this order"
        k += 1
    assert np.abs(np.diff(faces, axis=0)).max() > 0.01  # it speaks


def test_live_link_face(published, shm_name):
    from pylivelinkface import FaceBlendShape, PyLiveLinkFace

    unreal, place = receiver()
    with unreal:
        running = bridge(shm_name, "livelink", place)
        faces = []
        while len(faces) < FRAMES:
            _, face = PyLiveLinkFace.decode(unreal.recv(2048))
            assert (face.name, face.fps) == ("edgeface", 25)
            faces.append([face.get_blendshape(shape) for shape in FaceBlendShape][:52])
        end(running)
    assert_follows(np.float32(faces), published())


def test_vmc(published, shm_name):
    warudo, place = receiver()
    with warudo:
        running = bridge(shm_name, "vmc", place)
        faces, values = [], {}
        while len(faces) < FRAMES:
            for address, arguments in decoded([warudo.recv(2048)]):
                if address == "/VMC/Ext/Blend/Val":
                    values.update([arguments])
                elif address == "/VMC/Ext/Blend/Apply":
                    faces.append([values[name] for name in PASCAL])
        end(running)
    assert_follows(np.float32(faces), published())


def test_osc(published, shm_name):
    show, place = receiver()
    with show:
        running = bridge(shm_name, "osc", place, "--prefix", "/face/1")
        heard, levels = {}, 0
        while levels < FRAMES:
            for address, (value,) in decoded([show.recv(2048)]):
                heard.setdefault(address, []).append(value)
                levels += address == "/face/1/level"
        end(running)
    shapes = published()
    assert set(heard) >= {
        f"/face/1/{name}" for name in (*BLENDSHAPES, "speech", "level", "headYaw")
    }
    assert 1 in heard["/face/1/speech"]
    for number, name in enumerate(BLENDSHAPES):
        assert set(np.float32(heard[f"/face/1/{name}"])) <= set(np.clip(shapes[:, number], 0, 1))


def test_vrchat(published, shm_name):
    vrchat, place = receiver()
    with vrchat:
        running = bridge(shm_name, "osc", place, "--vrchat")
        heard = {}

        def hear():
            heard.update((address, value) for address, (value,) in decoded([vrchat.recv(2048)]))

        for _ in range(FRAMES):
            hear()
        assert heard["/avatar/parameters/LipTrackingActive"] is True
        assert len(heard) == len(VrChat()._addresses) + 2
        end(running)
        while heard["/avatar/parameters/LipTrackingActive"]:
            hear()
    published()
    rest = [abs(value) for address, value in heard.items() if "/v2/" in address]
    assert max(rest) < 0.0011  # smaller changes are not sent


def test_ifacialmocap(published, shm_name):
    # all listen at the same port, so here they have addresses of their own
    network = "127.{}.{}".format(*random.sample(range(1, 255), 2))
    phone = (f"{network}.1", 49983)
    running = bridge(shm_name, "ifacialmocap", phone[0])
    clients = {
        "-": (receiver(f"{network}.2", 49983)[0], HELLO),
        "&": (receiver(f"{network}.3", 49983)[0], HELLO + b"|sendDataVersion=v2"),
    }
    faces = {separator: [] for separator in clients}
    for separator, (client, hello) in clients.items():
        client.settimeout(0.5)
        while len(faces[separator]) < FRAMES:
            try:
                text = client.recv(2048).decode("ascii")
            except socket.timeout:
                client.sendto(hello, phone)
                continue
            items = (item.split(separator) for item in text.partition("|=")[0].split("|"))
            faces[separator].append([int(value) / 100 for _, value in items])
        client.close()
    end(running)
    shapes = published()
    for found in faces.values():
        assert_follows(np.array(found), shapes, 0.0051)


def test_the_servos_of_the_example_move(published, shm_name):
    servo = subprocess.Popen(
        [sys.executable, "-m", "edgeface.examples.servo", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        running = bridge(shm_name, "osc", servo.stdout.readline().split()[-1])
        pulses = set()
        while len(pulses) < 20:
            name, pulse, _ = servo.stdout.readline().split()
            if name == "jaw":
                pulses.add(int(pulse))
        end(running)
    finally:
        servo.kill()
        servo.wait()
        servo.stdout.close()
    published()
    assert min(pulses) >= 1500 and max(pulses) > 1600
