"""`edgeface bench` and `plan`, and the advice on what they need."""

import configparser
import os
import re
import time

import pytest
from support.faces import random_frame
from support.process import edgeface

from edgeface.bench import bridge
from edgeface.bench.bridge import CASES, measure_bridge
from edgeface.bench.live import DaemonProcess
from edgeface.core import advice
from edgeface.core.errors import UnavailableError
from edgeface.core.resources import BUNDLED_VOICE, PACKAGE
from edgeface.telemetry.power import NoPower, find_power_source

SETUP = os.path.join(os.path.dirname(PACKAGE), "setup.cfg")


@pytest.mark.slow
def test_bench_live_with_a_file():
    result = edgeface("bench", "live", "--source", f"file:{BUNDLED_VOICE}", "--seconds", "1")
    assert result.returncode == 0, result.stderr
    assert "publishing interval" in result.stdout and "dropped samples" in result.stdout


def test_a_daemon_wakes_once_a_frame_with_sound_and_without():
    for source in (f"file:{BUNDLED_VOICE}", "-"):
        with DaemonProcess("--source", source) as daemon:
            daemon.start_s()
            assert daemon.cost(2.0).wakeups < 40


def test_bench_live_names_what_is_wrong_with_its_source():
    for spec, code in (("nonsense", 69), ("file:missing.wav", 69)):
        result = edgeface("bench", "live", "--source", spec)
        assert result.returncode == code and result.stderr.count("\n") == 1
        assert spec.replace("file:", "") in result.stderr


def test_bench_power_says_at_once_that_there_is_no_sensor():
    if not isinstance(find_power_source(), NoPower):
        pytest.skip("this machine has a power sensor")
    began = time.monotonic()
    result = edgeface("bench", "power")
    assert time.monotonic() - began < 10
    assert result.returncode == 69 and result.stderr.count("\n") == 1
    assert "no power sensor" in result.stderr


def test_plan_without_onnx_says_at_once_how_to_get_it(tmp_path):
    (tmp_path / "onnx.py").write_text("raise ModuleNotFoundError('No module named onnx')")
    path = f"{tmp_path}:{os.path.dirname(PACKAGE)}"
    result = edgeface("plan", "--device", "here", env=dict(os.environ, PYTHONPATH=path))
    assert result.returncode == 69 and result.stderr.count("\n") == 1
    assert "-m pip install onnx" in result.stderr and result.stdout == ""


def test_advice_names_the_packages_of_the_extras():
    """Not `edgeface[plan]`: an index may have no edgeface, or somebody else's."""
    setup = configparser.ConfigParser()
    setup.read(SETUP)
    for extra, packages in advice.EXTRAS.items():
        lines = setup["options.extras_require"][extra].split("\n")
        names = [re.split("[><=]", line)[0] for line in lines if line and line[0] != "#"]
        assert tuple(names) == packages, extra
        assert advice.install_extra(extra).split(";")[0].endswith(" ".join(packages))
    for folder, _, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    assert "edgeface[" not in file.read(), name


def test_advice_fits_the_user_and_the_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(advice.sys, "prefix", str(tmp_path / ".venv"))
    (tmp_path / ".venv").mkdir()
    monkeypatch.chdir(tmp_path)
    assert advice.install_packages("onnx") == ".venv/bin/python3 -m pip install onnx"
    monkeypatch.chdir("/")
    monkeypatch.setattr(advice.sys, "prefix", "/usr/local/lib/edgeface/venv")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "access", lambda *_: False)
    expected = "sudo usr/local/lib/edgeface/venv/bin/python3 -m pip install onnx"
    assert advice.install_packages("onnx").replace(" /usr", " usr") == expected
    assert "CUDA" in advice.install_extra("study") and "CUDA" not in advice.install_extra("plan")


def test_a_bridge_is_measured(monkeypatch):
    frames = [random_frame(k) for k in range(25)]
    cost = measure_bridge(CASES[0], frames, 0.5)
    # Live Link Face, with a UUID and the subject `edgeface`
    assert cost.bytes / cost.datagrams == pytest.approx(314)
    assert cost.datagrams > 0.1 and cost.cpu_ms > 0.0 and len(cost.latency_ms)
    monkeypatch.setattr(bridge, "_TIMEOUT_S", 0.1)
    with pytest.raises(UnavailableError, match="nothing arrived"):
        measure_bridge(("vmc", "192.0.2.1"), frames, 0.1)
