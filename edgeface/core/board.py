"""Which machine this is: Jetson boards by their device tree and L4T release."""

import glob
import os
import platform
import re
import sys
from typing import NamedTuple

# L4T release to JetPack: the last release that is not newer counts
_JETPACKS = (
    ((32, 6, 1), "4.6"),
    ((32, 7, 1), "4.6.1"),
    ((32, 7, 2), "4.6.2"),
    ((32, 7, 3), "4.6.3"),
    ((32, 7, 4), "4.6.4"),
    ((35, 1, 0), "5.0.2"),
    ((35, 2, 1), "5.1"),
    ((35, 3, 1), "5.1.1"),
    ((35, 4, 1), "5.1.2"),
    ((35, 5, 0), "5.1.3"),
    ((35, 6, 0), "5.1.4"),
    ((36, 2, 0), "6.0"),
    ((36, 4, 0), "6.1"),
    ((36, 4, 3), "6.2"),
    ((36, 4, 4), "6.2.1"),
    ((38, 2, 0), "7.0"),
    ((38, 4, 0), "7.1"),
    ((39, 2, 0), "7.2"),
)
_NAMES = (
    ("jetson nano 2gb", "nano-2gb"),
    ("jetson nano", "nano"),
    ("jetson tx1", "tx1"),
    ("jetson tx2", "tx2"),
    ("jetson agx xavier", "agx-xavier"),
    ("jetson-agx", "agx-xavier"),
    ("xavier nx", "xavier-nx"),
    ("orin nano", "orin-nano"),
    ("orin nx", "orin-nx"),
    ("agx orin", "agx-orin"),
    ("thor", "thor"),
)


class Board(NamedTuple):
    """A machine; what is unknown is ""."""

    name: str  # a key such as `nano` or `orin-nano`; "" for no Jetson
    model: str  # as the device tree names it
    l4t: str  # release of Linux for Tegra, such as 32.7.1
    jetpack: str
    tensorrt: str
    machine: str  # architecture, such as aarch64


def this_board(root: str = "/") -> Board:
    """The machine whose file system is mounted at `root`."""
    model = _read(root, "proc/device-tree/model").strip("\0\n ")
    lowered = model.lower()
    name = next((key for words, key in _NAMES if words in lowered), "")
    l4t = _l4t(_read(root, "etc/nv_tegra_release"))
    return Board(name, model, l4t, _jetpack(l4t), _tensorrt(root), platform.machine())


def _read(root: str, path: str) -> str:
    try:
        with open(os.path.join(root, path), errors="replace") as file:
            return file.read(65536)
    except OSError:
        return ""


def _l4t(text: str) -> str:
    """`# R32 (release), REVISION: 7.1, ...` as `32.7.1`."""
    found = re.search(r"R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)", text)
    return f"{found.group(1)}.{found.group(2)}" if found else ""


def _jetpack(l4t: str) -> str:
    if not l4t:
        return ""
    parts = [int(part) for part in l4t.split(".") if part][:3]
    release = tuple(parts + [0] * (3 - len(parts)))
    known = [name for first, name in _JETPACKS if release >= first and release[0] == first[0]]
    return known[-1] if known else ""


def _tensorrt(root: str) -> str:
    """Version of the TensorRT library, from its file name: `libnvinfer.so.8.2.1` as `8.2.1`."""
    paths = []
    for folder in ("usr/lib", "usr/lib/*"):
        paths += glob.glob(os.path.join(root, folder, "libnvinfer.so.*"))
    versions = [path.rpartition(".so.")[2] for path in paths]
    return max(versions, key=len, default="")


if __name__ == "__main__":  # for jetson/install.sh, before anything is installed
    for field, value in this_board(sys.argv[1])._asdict().items():
        # one line each, without what a terminal obeys
        print("{}={}".format(field, "".join(filter(str.isprintable, value))))
