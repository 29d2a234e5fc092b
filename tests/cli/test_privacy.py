"""Nothing is written into the home folder, and nobody outside this machine is asked."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgeface.core.resources import BUNDLED_VOICE, PACKAGE

# what asks a name server reads one of these first
_RESOLVER = re.compile(r'"/etc/(resolv\.conf|gai\.conf|ssl/[^"]*)"')
_OUTSIDE = re.compile(r"AF_INET6?[,}].*")


class Trace:
    """A command with a home folder of its own; what it and its children ask of the system.

    :param folder: an empty one
    """

    def __init__(self, folder, *command):
        self.home = folder / "home"
        self.home.mkdir()
        self._log = folder / "strace"
        hidden = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment["HOME"] = str(self.home)
        calls = "trace=openat,connect,sendto,sendmsg,sendmmsg"
        strace = ["strace", "-f", "-qq", "-e", calls, "-e", "signal=none", "-o", str(self._log)]
        with open(str(folder / "output"), "w") as output:
            self._process = subprocess.Popen(
                [*strace, *command], env=environment, stdout=output, stderr=output
            )
        self._output = folder / "output"

    def lines(self):
        """Of strace, at the end: every file that was opened, every address that was contacted."""
        assert self._process.wait(120) in (0, 69), self._output.read_text()
        return self._log.read_text(errors="replace").splitlines()

    def files(self):
        """What is in the home folder."""
        paths = self.home.rglob("*")
        return sorted(str(path.relative_to(self.home)) for path in paths if not path.is_dir())

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


VERBS = {
    "run": ("run", "--fast", "--source", BUNDLED_VOICE),
    "motion": ("motion", BUNDLED_VOICE),
    "doctor": ("doctor",),
    "model verify": ("model", "verify"),
    "bench": ("bench",),
}


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """All verbs at once, by name: they mostly wait."""
    made = {}
    for verb, words in VERBS.items():
        folder = tmp_path_factory.mktemp(verb.replace(" ", "-"))
        more = {
            "motion": ["-o", str(folder / "out.npz")],
            "run": ["--shm", f"edgeface-test-{os.getpid()}-privacy"],
        }
        arguments = [*words, *more.get(verb, [])]
        made[verb] = Trace(folder, sys.executable, "-m", "edgeface", *arguments)
    yield made
    for trace in made.values():
        trace.close()


@pytest.mark.system
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_fresh_home_stays_empty_and_nobody_is_asked(traces, verb):
    calls = traces[verb].lines()
    opened = [line for line in calls if "libonnxruntime" in line or "onnxruntime_pybind11" in line]
    assert opened, "the trace does not show ONNX Runtime, so it proves nothing"
    outside = [line for line in calls if _OUTSIDE.search(line) or _RESOLVER.search(line)]
    assert outside == []
    # libpulse, which `doctor` asks for devices, keeps a link to its folder in /tmp
    written = [name for name in traces[verb].files() if not name.startswith(".config/pulse/")]
    assert written == []


@pytest.mark.system
def test_onnx_runtime_alone_would_write_there(tmp_path_factory):
    """What the opt-out is for; a release that no longer does this makes the tests above weaker."""
    alone, ours = (
        Trace(tmp_path_factory.mktemp("imports"), sys.executable, "-c", code)
        for code in (
            "import onnxruntime",
            "from edgeface.model.runtime.library import onnxruntime",
        )
    )
    alone.lines()
    ours.lines()
    if not any("onnxruntime" in name for name in alone.files()):
        pytest.skip("this ONNX Runtime has no telemetry")
    assert ours.files() == []


def test_one_module_imports_onnx_runtime():
    """The one that switches its telemetry off; parts of it may be imported after that."""
    direct = re.compile(r"^\s*(import onnxruntime\b|from onnxruntime import)", re.M)
    found = set()
    for folder in (Path(PACKAGE), Path(PACKAGE).parent / "training"):
        for path in folder.rglob("*.py"):
            if direct.search(path.read_text(encoding="utf-8")):
                found.add(str(path.relative_to(folder)))
    assert found == {"model/runtime/library.py"}
