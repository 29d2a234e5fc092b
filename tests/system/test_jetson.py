"""The Jetson installer: plans against recorded release files, and the refusal of wrong wheels."""

import os
import re
import subprocess

import pytest
from support.boards import RELEASES
from support.machine import SOURCES

SCRIPT = os.path.join(SOURCES, "jetson", "install.sh")


def plan(root, *arguments):
    return subprocess.run(
        [SCRIPT, "--dry-run", "--root", str(root)] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )


@pytest.fixture
def board(tmp_path):
    def lay_out(name):
        root = tmp_path / name
        (root / "etc").mkdir(parents=True)
        (root / "proc/device-tree").mkdir(parents=True)
        if name in RELEASES:
            (root / "etc/nv_tegra_release").write_text(f"{RELEASES[name][1]}\n")
            (root / "proc/device-tree/model").write_text(f"{RELEASES[name][0]}\x00")
        return root

    return lay_out


@pytest.mark.parametrize(
    "name, words",
    [
        ("nano", ["Jetson Nano", "L4T 32.7.1, JetPack 4.6.1", "Python cp36", "nvpmodel -m 0"]),
        ("xavier-nx", ["Xavier NX", "JetPack 5.1", "cp38", "jetson_clocks"]),
        ("orin-nano", ["Orin Nano", "L4T 36.4.3, JetPack 6.2", "cp310"]),
        ("thor", ["Thor", "JetPack 7.0", "cp312"]),
        ("unknown", ["no Jetson", "JetPack -"]),
    ],
)
def test_every_board_gets_a_plan(board, name, words):
    result = plan(board(name))
    assert result.returncode == 0, result.stderr
    for word in words + ["onnxruntime for the CPU"]:
        assert word in result.stdout, result.stdout


def test_nothing_of_the_tree_that_is_looked_at_is_run(board, tmp_path):
    """Neither its programs nor its texts, which a shell would evaluate as names of variables."""
    root = board("nano")
    ran = tmp_path / "ran"
    for program in ("python3", "dpkg-query", "sed", "awk", "systemctl"):
        for folder in ("bin", "usr/bin", "usr/local/bin"):
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / program).write_text(f"#!/bin/sh\ntouch {ran}\n")
            (root / folder / program).chmod(0o755)
    for module in ("glob.py", "typing.py", "edgeface.py"):
        (root / module).write_text(f"open({str(ran)!r}, 'w')\n")
    evil = f"Jetson Nano\nx[$(touch {ran})]=1\nmodel=$(touch {ran})\x1b]0;title\x07\x00"
    (root / "proc/device-tree/model").write_text(evil)
    library = root / "usr/lib/aarch64-linux-gnu"
    library.mkdir(parents=True)
    (library / "libnvinfer.so.8\ny[$(touch ran)]=2").write_text("")
    result = subprocess.run(
        [SCRIPT, "--dry-run", "--root", "."],
        cwd=str(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    assert result.returncode == 0 and "Jetson Nano" in result.stdout, result.stdout
    assert "\x1b" not in result.stdout
    assert not ran.exists() and list(root.rglob("ran")) == []
    assert not os.path.exists(os.path.join(SOURCES, "ran"))


@pytest.mark.parametrize(
    "name, code, word",
    [
        ("nano", 0, "onnxruntime_gpu-1.10.0-cp36"),
        ("orin-nano", 69, "no SHA-256"),
        ("xavier-nx", 69, "no build for JetPack 5.1"),
        ("thor", 69, "no build for JetPack 7.0"),
        ("unknown", 69, "no JetPack"),
    ],
)
def test_a_gpu_build_only_where_one_is_known_and_pinned(board, name, code, word):
    result = plan(board(name), "--gpu")
    assert result.returncode == code
    assert word in result.stdout + result.stderr
    assert result.stderr.count("\n") == (1 if code else 0)


def test_mirrors_offline_folders_and_hashes_are_taken(board, tmp_path):
    nano, orin = board("nano"), board("orin-nano")
    assert (
        "from https://mirror.example/onnxruntime_gpu-1.10.0"
        in plan(nano, "--gpu", "--mirror", "https://mirror.example/").stdout
    )
    assert (
        f"from {tmp_path}/onnxruntime_gpu-1.10.0"
        in plan(nano, "--gpu", "--offline", str(tmp_path)).stdout
    )
    assert "SHA-256 abc" in plan(orin, "--gpu", "--sha256", "abc").stdout
    assert plan(nano, "--gup").returncode == 2


def test_a_wheel_that_is_not_the_pinned_one_is_refused(board, tmp_path):
    nano = board("nano")
    (tmp_path / "onnxruntime_gpu-1.10.0-cp36-cp36m-linux_aarch64.whl").write_bytes(
        b"something else"
    )
    result = subprocess.run(
        [SCRIPT, "--root", str(nano), "--gpu", "--offline", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert result.returncode == 69
    assert "its SHA-256 is not a608b7a4" in result.stderr or "run as root" in result.stderr


def test_the_table_is_well_formed():
    with open(os.path.join(os.path.dirname(SCRIPT), "wheels.tsv")) as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    for jetpack, tag, wheel, address, digest in rows:
        assert re.match(r"\d", jetpack) and f"-{tag}-" in wheel and wheel.endswith("aarch64.whl")
        assert address.startswith("https://") and re.match("^(-|[0-9a-f]{64})$", digest)
