"""Runs every check of this machine, however broken it is.

This module and what it imports need the standard library only: the checks themselves, and all that
they import, run in a child process.
"""

from functools import partial
from importlib import import_module
from typing import Any, Iterable, Iterator, Optional

from .finding import Finding
from .isolated import Task, isolated

_LIBRARIES = ("numpy", "onnxruntime", "yaml", "sounddevice", "soundfile", "soxr", "pulsectl")
# name, module, function: in the order of the report
_CHECKS = (
    ("bundle", "model", "bundle"),
    ("providers", "model", "providers"),
    ("model", "model", "model"),
    ("microphones", "sound", "microphones"),
    ("monitors", "sound", "monitors"),
    ("sources", "sound", "sources"),
    ("levels", "sound", "levels"),
    ("shared memory", "outputs", "shared_memory"),
    ("log", "outputs", "log"),
    ("metrics", "outputs", "metrics"),
    ("power", "machine", "power"),
    ("bridges", "bridges", "configured"),
    ("running bridges", "bridges", "running"),
    ("service", "service", "service"),
    ("sound of the service", "service", "service_sound"),
)


def examine(config: Optional[str] = None) -> Iterator[Finding]:
    """Runs every check; yields findings as they are known. None of them raises.

    :param config: path of the configuration; None: the one that every verb reads
    """
    subject = _Subject(config)
    tasks = [
        Task("board", partial(_call, "machine", "board")),
        Task("edgeface", partial(_call, "libraries", "versions")),
    ]
    tasks += [Task(name, partial(_call, "libraries", "library", name)) for name in _LIBRARIES]
    tasks.append(Task("configuration", subject.check))
    tasks += [Task(name, partial(subject.run, *where)) for name, *where in _CHECKS]
    return isolated(tasks)


def _call(module: str, function: str, *arguments: Any) -> Iterable[Finding]:
    """Imports a module of this room and calls its check."""
    found: Iterable[Finding] = getattr(import_module(f".{module}", __package__), function)(
        *arguments
    )
    return found


class _Subject:
    """What is examined: the settings, read in the child that needs them."""

    def __init__(self, path: Optional[str]) -> None:
        self._path = path
        self._loaded: Any = None

    def check(self) -> Iterator[Finding]:
        """Whether the configuration is valid."""
        yield from self._configuration().check()

    def run(self, module: str, function: str) -> Iterable[Finding]:
        """A check of what the settings name."""
        return _call(module, function, self._configuration().settings)

    def _configuration(self) -> Any:
        if self._loaded is None:
            self._loaded = import_module(".configuration", __package__).Configuration(self._path)
        return self._loaded
