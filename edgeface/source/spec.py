"""Source specifications, such as `mic:NAME` or `unix:PATH`."""

from ..core.errors import UsageError
from . import SPECS
from .command import CommandSource
from .fifo import FifoSource
from .file import FileSource
from .mic import MicSource
from .monitor import MonitorSource
from .pipe import PipeSource
from .selector import Selector
from .supervisor import Supervisor
from .unix import UnixSource

_SUFFIXES = (
    ".wav",
    ".flac",
    ".ogg",
    ".oga",
    ".opus",
    ".mp3",
    ".aiff",
    ".aif",
    ".au",
    ".w64",
    ".caf",
)


def make_source(spec, fast=False, ahead_ns=0):
    """The source that a specification names; devices are opened later, files at once.

    :param fast: files and pipes as fast as they can be read
    :param ahead_ns: how long before it is heard sound with a play-at time is read
    :raises UsageError: not a specification
    """
    kind, colon, rest = spec.partition(":")
    if spec in ("mic", "monitor"):
        return MicSource() if spec == "mic" else MonitorSource()
    if spec == "-":
        return PipeSource(fast=fast)
    if rest and kind in _KINDS:
        return _KINDS[kind](rest)
    if rest and kind == "unix":
        return UnixSource(rest, ahead_ns)
    if rest and kind == "file":
        return FileSource(rest, fast)
    if not colon and spec.lower().endswith(_SUFFIXES):
        return FileSource(spec, fast)
    raise UsageError(f"source '{spec}': not known; use {SPECS}")


_KINDS = {"mic": MicSource, "monitor": MonitorSource, "cmd": CommandSource, "fifo": FifoSource}


def make_selector(specs, hold_s, fast=False, ahead_ns=0):
    """A `selector.Selector` of these specifications, the most important first; not opened.

    :raises UsageError: one is not known, or several are not all live
    """
    sources = [make_source(spec, fast, ahead_ns) for spec in specs]
    ending = [source.name for source in sources if not source.live]
    if ending and len(sources) > 1:
        raise UsageError(f"source '{ending[0]}': ends by itself, and cannot stand beside others")
    if fast and not ending:
        raise UsageError(f"--fast: {sources[0].name} is live; give a file")
    return Selector([Supervisor(source) for source in sources], hold_s)
