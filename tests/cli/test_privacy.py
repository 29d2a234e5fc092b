"""Nothing is written into the home folder, and nobody outside this machine is asked."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeface.core.resources import BUNDLED_VOICE, PACKAGE

# what asks a name server reads one of these first
_RESOLVER = re.compile(r'"/etc/(resolv\.conf|gai\.conf|ssl/[^"]*)"')
_OUTSIDE = re.compile(r"AF_INET6?[,}].*")


def traced(home, *command):
    """Runs a command with a home folder of its own; what it and its children asked of the system.

    :return: lines of strace: every file that was opened, every address that was contacted
    """
    log = home.parent / "strace"
    hidden = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["HOME"] = str(home)
    traced_calls = "trace=openat,connect,sendto,sendmsg,sendmmsg"
    result = subprocess.run(
        ["strace", "-f", "-qq", "-e", traced_calls, "-e", "signal=none", "-o", str(log), *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=120,
    )
    assert result.returncode in (0, 69), result.stderr
    return log.read_text(errors="replace").splitlines()


def files_in(home):
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if not path.is_dir())


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return home


VERBS = {
    "run": ("run", "--fast", "--source", BUNDLED_VOICE),
    "motion": ("motion", BUNDLED_VOICE, "-o", os.devnull),
    "doctor": ("doctor",),
    "model verify": ("model", "verify"),
    "bench": ("bench",),
}


@pytest.mark.system
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_fresh_home_stays_empty_and_nobody_is_asked(home, tmp_path, shm_name, verb):
    words = list(VERBS[verb])
    if verb == "motion":
        words[-1] = str(tmp_path / "out.npz")
    if verb == "run":
        words += ["--shm", shm_name]
    calls = traced(home, sys.executable, "-m", "edgeface", *words)
    opened = [line for line in calls if "libonnxruntime" in line or "onnxruntime_pybind11" in line]
    assert opened, "the trace does not show ONNX Runtime, so it proves nothing"
    outside = [line for line in calls if _OUTSIDE.search(line) or _RESOLVER.search(line)]
    assert outside == []
    # libpulse, which `doctor` asks for devices, keeps a link to its folder in /tmp
    written = [name for name in files_in(home) if not name.startswith(".config/pulse/")]
    assert written == []


@pytest.mark.system
def test_onnx_runtime_alone_would_write_there(home):
    """What the opt-out is for; a release that no longer does this makes the tests above weaker."""
    traced(home, sys.executable, "-c", "import onnxruntime")
    if not any("onnxruntime" in name for name in files_in(home)):
        pytest.skip("this ONNX Runtime has no telemetry")
    code = "from edgeface.model.runtime.library import onnxruntime"
    shutil.rmtree(str(home / ".cache"))
    traced(home, sys.executable, "-c", code)
    assert files_in(home) == []


def test_one_module_imports_onnx_runtime():
    """The one that switches its telemetry off; parts of it may be imported after that."""
    direct = re.compile(r"^\s*(import onnxruntime\b|from onnxruntime import)", re.M)
    found = set()
    for folder in (Path(PACKAGE), Path(PACKAGE).parent / "training"):
        for path in folder.rglob("*.py"):
            if direct.search(path.read_text(encoding="utf-8")):
                found.add(str(path.relative_to(folder)))
    assert found == {"model/runtime/library.py"}
