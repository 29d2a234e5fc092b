"""Source specifications: `mic`, `mic:NAME`, `file:PATH`, `-`, or a path with an audio suffix."""

from ..errors import UsageError
from .file import FileSource
from .mic import MicSource
from .raw import RawSource

_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".w64", ".caf")


def make_source(spec, fast=False):
    """The source that a specification names; devices are opened later, files at once.

    :param fast: files and pipes as fast as they can be read
    :raises UsageError: not a specification
    """
    kind, colon, rest = spec.partition(":")
    if spec == "mic":
        return MicSource()
    if kind == "mic" and rest:
        return MicSource(rest)
    if spec == "-":
        return RawSource(fast=fast)
    if kind == "file" and rest:
        return FileSource(rest, fast)
    if not colon and spec.lower().endswith(_SUFFIXES):
        return FileSource(spec, fast)
    raise UsageError("source '%s': not known; use mic, mic:NAME, file:PATH or -" % spec)
