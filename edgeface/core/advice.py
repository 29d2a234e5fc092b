"""What to type to fix something, in words that fit this installation and this user."""

import os
import sys
from typing import Tuple

# packages of the extras in setup.cfg: an installed edgeface may not be found in any index
EXTRAS = {
    "render": ("selenium", "Pillow", "imageio-ffmpeg"),
    "plan": ("onnx",),
    "dask": ("distributed",),
    "import": ("torch", "onnx"),
    "study": ("torch", "onnx", "transformers", "scipy", "matplotlib"),
}
_TORCH = "PyTorch's CPU build is enough; the default one brings 6 GB of CUDA"


def as_root(command: str) -> str:
    """A command that only root may run, with `sudo` unless this is root."""
    return command if os.geteuid() == 0 else f"sudo {command}"


def install_packages(*packages: str) -> str:
    """The command that installs Python packages beside this edgeface."""
    command = " ".join((_python(), "-m", "pip", "install", *packages))
    return command if os.access(sys.prefix, os.W_OK) else as_root(command)


def install_extra(extra: str) -> str:
    """The command that installs an extra, and a word on what is large."""
    packages: Tuple[str, ...] = EXTRAS[extra]
    command = install_packages(*packages)
    return f"{command}; {_TORCH}" if "torch" in packages else command


def _python() -> str:
    """Path of this interpreter, relative where that is shorter to type."""
    path = os.path.join(sys.prefix, "bin", f"python{sys.version_info[0]}")
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
