"""The Jetson's processor: ARM64 wheels under qemu-user, a Cortex-A57 as in the Nano."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import edgeface
from machine import SOURCES

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(900)]

TREE = os.path.join(SOURCES, ".venv-arm64")
HERE = os.path.dirname(os.path.abspath(__file__))
WHEELS = "numpy onnxruntime PyYAML pulsectl soundfile soxr"


def test_the_same_frames_on_arm64(speech_wav, tmp_path):
    subprocess.check_call([HERE + "/arm64.sh", TREE], env=dict(os.environ, WHEELS=WHEELS, PYTHON=sys.executable))
    environment = dict(os.environ, PYTHONPATH="%s/site:%s" % (TREE, SOURCES), PYTHONHOME=TREE + "/usr")
    environment.pop("LD_LIBRARY_PATH", None)
    qemu = ["qemu-aarch64-static", "-cpu", "cortex-a57", "-L", TREE, TREE + "/usr/bin/python3.11"]
    there = str(tmp_path / "arm64.npz")
    machine = subprocess.check_output(qemu + ["-c", "import platform; print(platform.machine())"], env=environment)
    assert machine == b"aarch64\n"
    subprocess.check_call(qemu + ["-m", "edgeface", "motion", speech_wav, "-o", there], env=environment)
    here = str(tmp_path / "here.npz")
    assert edgeface("motion", speech_wav, "-o", here).returncode == 0
    with np.load(there) as arm, np.load(here) as x86:
        assert arm["landmarks"].shape == x86["landmarks"].shape == (75, 68, 3)
        for name in ("landmarks", "blendshapes"):
            difference = np.abs(arm[name] - x86[name]).max()
            print("%s: largest difference %.1e" % (name, difference))
            assert difference < 1e-4
        assert (arm["flags"] == x86["flags"]).all()
