"""What the wheel holds: all that runs on a board, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from support.machine import SOURCES

from edgeface import __version__
from edgeface.core.advice import EXTRAS

pytestmark = [pytest.mark.system, pytest.mark.slow]

DATA = {
    "edgeface/examples/web/face.js",
    "edgeface/examples/web/package-lock.json",
    "edgeface/py.typed",
    "edgeface/voice.flac",
    "edgeface/motion/shapes.npy",
    "edgeface/model/default/bundle.yaml",
    "edgeface/model/default/weights.bin",
    "edgeface/shm/edgeface.h",
    "edgeface/examples/godot/edgeface_osc.gd",
    "edgeface/view/page/index.html",
    "edgeface/view/page/package-lock.json",
    "edgeface/view/page/stage.js",
    "edgeface/view/heads/ada.glb",
    "edgeface/view/heads/LICENSE",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy of the sources in which an earlier build left a module behind."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = str(folder / "copy")
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "build", "__pycache__")
    shutil.copytree(SOURCES, copy, ignore=ignored)
    stale = os.path.join(copy, "build", "lib", "edgeface")
    os.makedirs(stale)
    open(os.path.join(stale, "stale.py"), "w").close()
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.check_call(pip + ["wheel", "--no-deps", "-w", str(folder), copy])
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(str(path))


def test_the_wheel_holds_the_package_and_its_data(wheel):
    names = set(wheel.namelist())
    assert names > DATA
    assert f"edgeface-{__version__}.dist-info/METADATA" in names
    modules = set()
    for folder, _, files in os.walk(os.path.join(SOURCES, "edgeface")):
        place = os.path.relpath(folder, SOURCES)
        modules |= {f"{place}/{name}" for name in files if name.endswith(".py")}
    assert {name for name in names if name.endswith(".py")} == modules


def test_nothing_else_is_in_the_wheel(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"edgeface", f"edgeface-{__version__}.dist-info"}
    assert "edgeface/stale.py" not in wheel.namelist()


def test_messages_name_extras_that_exist_and_their_packages(wheel):
    metadata = wheel.read(f"edgeface-{__version__}.dist-info/METADATA").decode()
    packages = {}
    for name, extra in re.findall(
        r"""^Requires-Dist: ([\w-]+).*extra == ["'](\w+)["']""", metadata, re.MULTILINE
    ):
        packages.setdefault(extra, set()).add(name.lower())
    named = set()
    for name in wheel.namelist():
        if name.endswith(".py"):
            named |= set(re.findall(r"install_extra\([\"'](\w+)", wheel.read(name).decode()))
    assert named == set(EXTRAS)
    for extra, wanted in EXTRAS.items():
        assert {package.lower() for package in wanted} == packages[extra], extra
