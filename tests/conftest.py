import os
import subprocess
import sys
import time
import wave

import numpy as np
import pytest

from edgeface.build import build_pipeline
from edgeface.config import Settings
from edgeface.model.bundle import Bundle
from edgeface.motion.frame import Frame
from edgeface.shm.writer import Writer

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")


@pytest.fixture(scope="session")
def bundle():
    return Bundle()


@pytest.fixture(scope="session")
def pipeline(bundle):
    """One pipeline of the default settings; tests leave it reset."""
    return build_pipeline(Settings(), bundle)


@pytest.fixture(scope="session")
def clips():
    """Held-out clips of the GRID talker: names, samples int16 [n, 48000], landmarks, blendshapes."""
    with np.load(os.path.join(DATA, "grid_held_out.npz")) as data:
        return {name: data[name] for name in data.files}


@pytest.fixture
def shm_name():
    """A name in /dev/shm; fails the test that leaves something behind there."""
    name = "edgeface-test-%d-%d" % (os.getpid(), time.monotonic_ns() if hasattr(time, "monotonic_ns") else id(object()))
    yield name
    left = [entry for entry in os.listdir("/dev/shm") if name in entry]
    for entry in left:
        os.unlink("/dev/shm/" + entry)
    assert left == []


@pytest.fixture
def writer(shm_name):
    with_writer = Writer(shm_name, 0x12345678, 0.08)
    yield with_writer
    with_writer.close()


@pytest.fixture
def server(tmp_path_factory):
    """A running `sound.SoundServer`."""
    from sound import SoundServer  # which imports this file
    server = SoundServer(tmp_path_factory.mktemp("pulse"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def speech_wav(clips, tmp_path):
    """A 16 kHz mono wav with one held-out sentence."""
    path = str(tmp_path / "speech.wav")
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(clips["samples"][0].tobytes())
    return path


def edgeface(*arguments, timeout=120, **options):
    """Runs the command line to its end; CompletedProcess with text output."""
    return subprocess.run([sys.executable, "-m", "edgeface"] + list(arguments), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=timeout, **options)


def start(*arguments, **options):
    """Starts the command line; Popen."""
    return subprocess.Popen([sys.executable, "-m", "edgeface"] + list(arguments), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, universal_newlines=True, **options)


def wait_for(condition, seconds=20.0, poll=0.02):
    """The first true value of `condition()` within `seconds`; fails the test otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(poll)
    raise AssertionError("not within %g s" % seconds)


def collect(reader, seconds):
    """Every frame of so many seconds."""
    frames, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        frame = reader.read()
        if frame is not None and (not frames or frame.index != frames[-1].index):
            frames.append(frame)
        time.sleep(0.002)
    return frames


def lip_gap(landmarks):
    """Distance of the inner lips of landmarks [T, 68, 3]."""
    return np.linalg.norm(landmarks[:, 62] - landmarks[:, 66], axis=-1)


def random_frame(k, flags=0):
    """The frame with index k of the tests of shared memory."""
    rng = np.random.RandomState(k % 1000)
    return Frame(k, rng.randn(68, 3).astype(np.float32), rng.rand(52).astype(np.float32), 100.5, -20.25, flags)
