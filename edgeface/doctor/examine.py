"""Runs every check of this machine."""

from typing import Iterator, Tuple

from ..config import Settings
from ..core.errors import EdgefaceError, one_line
from .configuration import configuration
from .finding import BAD, Check, Finding
from .machine import board, libraries, power
from .model import bundle, model, providers
from .outputs import log, shared_memory
from .service import service, service_sound
from .sound import levels, microphones, monitors, sources

CONFIG = "/etc/edgeface/edgeface.yaml"

_CHECKS: Tuple[Tuple[str, Check], ...] = (
    ("bundle", bundle),
    ("providers", providers),
    ("model", model),
    ("microphones", microphones),
    ("monitors", monitors),
    ("sources", sources),
    ("levels", levels),
    ("shared memory", shared_memory),
    ("log", log),
    ("power", power),
    ("service", service),
    ("sound of the service", service_sound),
)


def examine(config: str = CONFIG) -> Iterator[Finding]:
    """Runs every check; yields findings as they are known. None of them raises.

    :param config: path of the configuration, which may be missing
    """
    yield from _guarded("board", board, Settings())
    yield from _guarded("libraries", libraries, Settings())
    settings = Settings()
    try:
        settings, finding = configuration(config)
        yield finding
    except Exception as error:
        yield _failed("configuration", error)
    for name, check in _CHECKS:
        yield from _guarded(name, check, settings)


def _guarded(name: str, check: Check, settings: Settings) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except Exception as error:  # a report with a hole is better than none
        yield _failed(name, error)


def _failed(name: str, error: Exception) -> Finding:
    if isinstance(error, EdgefaceError):
        return Finding(name, BAD, one_line(error))
    return Finding(name, BAD, f"{type(error).__name__}: {one_line(error)}", "report it")
