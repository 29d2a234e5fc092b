"""Source specifications, such as `mic:NAME` or `unix:PATH`."""

from typing import Callable, Dict, Sequence

from ..core.errors import UsageError
from . import SPECS
from .base import Source
from .command import CommandSource
from .fifo import FifoSource
from .file import FileSource
from .gain import NO_GAIN, Gain
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
_NAMED: Dict[str, Callable[[str], Source]] = {
    "monitor": MonitorSource,
    "cmd": CommandSource,
    "fifo": FifoSource,
}


def make_source(spec: str, fast: bool = False, ahead_ns: int = 0, gain: Gain = NO_GAIN) -> Source:
    """The source that a specification names; devices are opened later, files at once.

    :param fast: files and pipes as fast as they can be read
    :param ahead_ns: how long before it is heard sound with a play-at time is read
    :param gain: of a microphone
    :raises UsageError: the specification is invalid
    """
    if spec == "mic":
        return MicSource(None, gain)
    if spec == "monitor":
        return MonitorSource()
    if spec == "-":
        return PipeSource(fast=fast)
    kind, colon, rest = spec.partition(":")
    if rest and kind == "mic":
        return MicSource(rest, gain)
    if rest and kind in _NAMED:
        return _NAMED[kind](rest)
    if rest and kind == "unix":
        return UnixSource(rest, ahead_ns)
    if rest and kind == "file":
        return FileSource(rest, fast)
    if not colon and spec.lower().endswith(_SUFFIXES):
        return FileSource(spec, fast)
    raise UsageError(f"source '{spec}': invalid; use {SPECS}")


def make_selector(
    specs: Sequence[str],
    hold_s: float,
    fast: bool = False,
    ahead_ns: int = 0,
    gain_db: float = 0.0,
    auto_gain: bool = False,
) -> Selector:
    """A `Selector` of these specifications, the highest priority first; not opened.

    :param hold_s: as `Selector`; `fast` and `ahead_ns` as `make_source`
    :param gain_db: of every microphone, in dB
    :param auto_gain: whether a quiet voice in one is raised further
    :raises UsageError: one is invalid, or several are not all live
    """
    sources = [make_source(spec, fast, ahead_ns, Gain(gain_db, auto_gain)) for spec in specs]
    ending = [source.name for source in sources if not source.live]
    if ending and len(sources) > 1:
        raise UsageError(
            f"source '{ending[0]}': ends by itself, and cannot be combined with others"
        )
    if fast and not ending:
        raise UsageError(f"--fast: {sources[0].name} is live; use a file")
    return Selector([Supervisor(source) for source in sources], hold_s)
