"""Python children: they import what their parent imports, whatever lies in the current folder."""

import glob
import os
import subprocess
import sys

import pytest

from edgeface.core.child import edgeface_command, module_command, python_command
from edgeface.core.resources import PACKAGE

# what a child of edgeface imports, and what starts it
DECOYS = ("numpy", "yaml", "onnxruntime", "runpy", "argparse", "edgeface/__init__", "edgeface/cli")


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    """A current folder whose modules leave a file named `ran`."""
    (tmp_path / "edgeface").mkdir()
    for name in DECOYS:
        trap = f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n"
        (tmp_path / f"{name}.py").write_text(trap)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output(command):
    """What a command prints that must succeed, with PYTHONPATH unset."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_nothing_of_the_current_folder_is_run(trapped):
    assert "default" in output(edgeface_command("model", "info"))
    assert output(module_command("edgeface", "--version")).startswith("edgeface ")
    code = "import numpy, yaml, sys; print(numpy.__version__, sys.argv[1:])"
    assert "['a', 'b']" in output(python_command(code, "a", "b"))
    assert not (trapped / "ran").exists()


def test_an_isolated_parent_has_isolated_children(trapped):
    code = (
        f"import sys; sys.path.append({os.path.dirname(PACKAGE)!r});"
        "from edgeface.core.child import python_command; import subprocess;"
        "print(subprocess.check_output(python_command('print(sys.flags.isolated)')).decode())"
    )
    assert output([sys.executable, "-I", "-c", code]).strip() == "1"
    assert not (trapped / "ran").exists()


def test_in_the_folder_above_a_clone_the_package_is_found(tmp_path, monkeypatch):
    (tmp_path / "edgeface").symlink_to(os.path.dirname(PACKAGE))
    monkeypatch.chdir(tmp_path)
    assert output(edgeface_command("--version")).startswith("edgeface ")


def test_there_is_no_other_way_to_start_a_child():
    """`sys.executable` is named in one module: the others ask that one."""
    named = set()
    for path in glob.glob(f"{PACKAGE}/**/*.py", recursive=True):
        with open(path, encoding="utf-8") as file:
            if "sys.executable" in file.read():
                named.add(os.path.relpath(path, PACKAGE))
    assert named == {"core/child.py"}
