"""Packages of npm, as a lock file pins them."""

import hashlib
import os
import shutil
import subprocess

_CACHE = os.path.expanduser("~/.cache/edgeface/npm")
_INSTALL = ("npm", "ci", "--no-audit", "--no-fund", "--silent")


def node_modules(folder):
    """The installed packages of a folder's lock file, installed once for each of its versions."""
    with open(f"{folder}/package-lock.json", "rb") as file:
        lock = file.read()
    assert b"://" not in lock, "addresses of a registry; see docs/bridges.md"
    cached = f"{_CACHE}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not os.path.exists(cached):
        new = f"{cached}.{os.getpid()}"
        os.makedirs(new)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(f"{folder}/{name}", new)
        subprocess.check_call(_INSTALL, cwd=new)
        os.rename(new, cached)
    return f"{cached}/node_modules"
