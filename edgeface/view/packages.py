"""The packages of three.js that show an avatar: pinned, and installed once on this machine."""

import os
import shutil

from ..core.advice import as_root
from ..core.errors import UnavailableError
from ..core.resources import PACKAGE

FOLDER = os.path.join(PACKAGE, "view", "page")
_NEEDED = ("three/package.json", "@pixiv/three-vrm/package.json")


def has_packages() -> bool:
    """Whether three.js is installed."""
    return all(os.path.exists(os.path.join(FOLDER, "node_modules", name)) for name in _NEEDED)


def check_packages() -> None:
    """Says how to install them.

    :raises UnavailableError: they are not there
    """
    if has_packages():
        return
    command = f"npm ci --prefix {FOLDER}"
    if not os.access(FOLDER, os.W_OK):
        command = as_root(command)
    if shutil.which("npm") is None:
        command = f"{as_root('apt install npm')} && {command}"
    raise UnavailableError(f"three.js is not installed, which shows an avatar; {command}")
