"""The Jetson's processor: ARM64 wheels under qemu-user, a Cortex-A57 as in the Nano."""

import os
import subprocess
import sys

import numpy as np
import pytest
from support.machine import SOURCES
from support.process import edgeface

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(900)]

TREE = os.path.join(SOURCES, ".venv-arm64")
WHEELS = "numpy onnxruntime PyYAML pulsectl soundfile soxr"


def test_the_same_frames_on_arm64(speech_wav, tmp_path):
    subprocess.check_call(
        [f"{SOURCES}/tests/support/arm64.sh", TREE],
        env=dict(os.environ, WHEELS=WHEELS, PYTHON=sys.executable),
    )
    environment = dict(os.environ, PYTHONPATH=f"{TREE}/site:{SOURCES}", PYTHONHOME=f"{TREE}/usr")
    environment.pop("LD_LIBRARY_PATH", None)
    qemu = ["qemu-aarch64-static", "-cpu", "cortex-a57", "-L", TREE, f"{TREE}/usr/bin/python3.11"]
    there = str(tmp_path / "arm64.npz")
    machine = subprocess.check_output(
        qemu + ["-c", "import platform; print(platform.machine())"], env=environment
    )
    assert machine == b"aarch64\n"
    subprocess.check_call(
        qemu + ["-m", "edgeface", "motion", speech_wav, "-o", there], env=environment
    )
    here = str(tmp_path / "here.npz")
    assert edgeface("motion", speech_wav, "-o", here).returncode == 0
    with np.load(there) as arm, np.load(here) as x86:
        assert arm["landmarks"].shape == x86["landmarks"].shape == (75, 68, 3)
        for name in ("landmarks", "blendshapes"):
            difference = np.abs(arm[name] - x86[name]).max()
            print(f"{name}: largest difference {difference:.1e}")
            assert difference < 1e-4
        assert (arm["flags"] == x86["flags"]).all()
