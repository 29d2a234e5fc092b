import importlib.util
import os
import signal
import uuid
import wave

import numpy as np
import pytest
from hypothesis import settings
from support import process
from support.faces import DATA

from edgeface.build import build_pipeline, load_model
from edgeface.config import Settings
from edgeface.life.life import Life
from edgeface.shm.writer import Writer

# what a shell starts in the background ignores Ctrl-C, and so would all that the tests start
signal.signal(signal.SIGINT, signal.default_int_handler)

# the same examples in every run, so that a change is not judged by luck; HYPOTHESIS_PROFILE=default
# looks for others
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def bundle():
    return load_model()


@pytest.fixture(scope="session")
def built_pipeline(bundle):
    """The model of the default settings, opened once."""
    return build_pipeline(Settings(), bundle)


@pytest.fixture
def pipeline(built_pipeline):
    """A pipeline of the default settings, at the start of a stream whatever the last test did."""
    built_pipeline.reset()
    built_pipeline.life = Life()
    return built_pipeline


@pytest.fixture(autouse=True)
def no_process_is_left(shm_name):
    """Ends what a test that failed has not ended, before its segment is looked for."""
    with process.ending_what_is_left():
        yield


@pytest.fixture(scope="session")
def clips():
    """Held-out clips of the GRID talker: names, samples int16 [N, 48000], and their faces."""
    with np.load(os.path.join(DATA, "grid_held_out.npz")) as data:
        return {name: data[name] for name in data.files}


@pytest.fixture
def shm_name():
    """A name in /dev/shm; fails the test that leaves something behind there."""
    name = f"edgeface-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    yield name
    left = [entry for entry in os.listdir("/dev/shm") if name in entry]
    for entry in left:
        os.unlink(f"/dev/shm/{entry}")
    assert left == []


@pytest.fixture
def writer(shm_name):
    with Writer(shm_name, 0x12345678, 80 * 10**6) as writer:
        yield writer


@pytest.fixture(params=["pulseaudio", "pipewire"])
def server(request, tmp_path_factory):
    """A running `sound.SoundServer`, of each kind in turn."""
    from support.sound import SERVERS  # which imports this file

    server = SERVERS[request.param](tmp_path_factory.mktemp("sound"))
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


# tests of what not every environment has; `make test-torch` installs it
_NEEDS = {
    "distributed": ("batch/test_cluster.py",),
    "wyoming": ("source/test_wyoming.py",),
    "torch": ("importer", "training", "bench"),
    "pocketsphinx": ("training",),
    "pyworld": ("training",),
    "onnx": (
        "importer",
        "training",
        "bench",
        "cli/test_plan.py",
        "model/test_bundle_portability.py",
        "model/test_native.py",
    ),
}
_MISSING = [library for library in _NEEDS if importlib.util.find_spec(library) is None]
collect_ignore = sorted({path for library in _MISSING for path in _NEEDS[library]})


def pytest_report_header():
    """Says what is not collected, and why."""
    return [f"{library} is missing: no {', '.join(_NEEDS[library])}" for library in _MISSING]
