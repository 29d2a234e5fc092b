"""Versions of edgeface, Python and the libraries; standard library only."""

import platform
from importlib import import_module
from typing import Iterator

from .. import __version__
from ..core.advice import as_root, install_packages
from ..core.errors import one_line
from .finding import BAD, OK, WARN, Finding

# modules whose package or importer has another name
_PACKAGES = {"yaml": "PyYAML"}
_IMPORTED_AS = {"onnxruntime": "edgeface.model.runtime.library"}
_OPTIONAL = ("pulsectl",)
_SYSTEM_PACKAGES = {"sounddevice": "libportaudio2", "pulsectl": "libpulse0"}


def versions() -> Iterator[Finding]:
    """Which edgeface this is, and on what."""
    yield Finding(
        "edgeface",
        OK,
        f"{__version__}, Python {platform.python_version()}, {platform.machine()},"
        f" Linux {platform.release()}",
    )


def library(name: str) -> Iterator[Finding]:
    """That a library can be imported, and its version."""
    try:
        module = import_module(_IMPORTED_AS.get(name, name))
    except Exception as error:  # whatever a library raises while it is imported
        state = WARN if name in _OPTIONAL else BAD
        found = one_line(error) or type(error).__name__
        yield Finding(name, state, found.split("; see `edgeface doctor`")[0], _fix(name, error))
        return
    module = getattr(module, name, module)
    yield Finding(name, OK, str(getattr(module, "__version__", "present")))


def _fix(name: str, error: Exception) -> str:
    if not isinstance(error, ModuleNotFoundError) and name in _SYSTEM_PACKAGES:
        return as_root(f"apt install {_SYSTEM_PACKAGES[name]}")
    package = _PACKAGES.get(name, name)
    if name == "onnxruntime" and "numpy" in str(error):
        newer = install_packages("'onnxruntime>=1.19'")
        return f"{newer}; or an older numpy, 'numpy<2'"
    return install_packages(package)
