"""Board, libraries and power sensor."""

import platform
from importlib import import_module
from typing import Iterator

from .. import __version__
from ..config import Settings
from ..core.board import this_board
from ..telemetry.power import NoPower, find_power_source
from .finding import BAD, OK, WARN, Finding

_LIBRARIES = ("numpy", "onnxruntime", "yaml", "sounddevice", "soundfile", "soxr", "pulsectl")
_OPTIONAL = ("pulsectl",)
_SYSTEM_PACKAGES = {"sounddevice": "libportaudio2", "pulsectl": "libpulse0"}


def board(_settings: Settings) -> Iterator[Finding]:
    """Which Jetson this is, if it is one, and whether it has swap for building engines."""
    found = this_board()
    if not (found.name or found.l4t):
        return
    yield Finding(
        "board",
        OK,
        f"{found.model}, L4T {found.l4t or '?'}, JetPack {found.jetpack or '?'},"
        f" TensorRT {found.tensorrt or 'none'}",
    )
    if not _swap_kb():
        fix = "zram (nvzramconfig) or a swap file, before engines are built"
        yield Finding("swap", WARN, "none", fix)


def _swap_kb() -> int:
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("SwapTotal"):
                return int(line.split()[1])
    return 0


def libraries(_settings: Settings) -> Iterator[Finding]:
    """Versions of edgeface, Python and the libraries that it needs."""
    yield Finding(
        "edgeface",
        OK,
        f"{__version__}, Python {platform.python_version()}, {platform.machine()},"
        f" Linux {platform.release()}",
    )
    for name in _LIBRARIES:
        try:
            version = getattr(import_module(name), "__version__", "present")
        except (ImportError, OSError) as error:
            state = WARN if name in _OPTIONAL else BAD
            package = _SYSTEM_PACKAGES.get(name)
            fix = f"apt install {package}" if package else f"make install, or pip install {name}"
            yield Finding(name, state, str(error), fix)
        else:
            yield Finding(name, OK, str(version))


def power(_settings: Settings) -> Iterator[Finding]:
    """Where power readings come from."""
    source = find_power_source()
    try:
        missing = isinstance(source, NoPower)
        yield Finding("power", OK, "no sensor: null in the log" if missing else source.name)
    finally:
        source.close()
