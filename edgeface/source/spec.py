"""Source specifications, such as `mic:NAME` or `unix:PATH`."""

from typing import Callable, Dict, Sequence, Tuple

from ..core.errors import UsageError
from ..core.text import name_of, path_of
from . import SPECS
from .base import Source
from .command import CommandSource
from .fifo import FifoSource
from .gain import NO_GAIN, Gain
from .mic import MicSource
from .monitor import MonitorSource
from .pcm import Pcm
from .pipe import PipeSource
from .selector import Selector
from .supervisor import Supervisor
from .unix import UnixSource
from .voices import VoiceSource
from .wyoming import DEFAULT_HOST, DEFAULT_PORT, WyomingSource

STDIN = "-"
# what libsndfile reads
_READABLE = (
    "wav wave bwf rf64 w64 aif aiff aifc au snd caf flac ogg oga opus mp1 mp2 mp3 mpga voc sf ircam"
    " nist sph paf svx 8svx iff pvf sds avr htk xi wve mat"
)
# what it does not read: the answer then is how to convert it
_CONVERTIBLE = "m4a m4b mp4 mov 3gp webm mkv mka aac wma amr bw64 wv ape ac3 ra spx"
_SUFFIXES = tuple(f".{suffix}" for suffix in f"{_READABLE} {_CONVERTIBLE}".split())
_PIPES: Dict[str, Callable[[str, Pcm], Source]] = {"cmd": CommandSource, "fifo": FifoSource}


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
    if spec == "unix":
        return UnixSource(ahead_ns=ahead_ns)
    if spec == "wyoming":
        return WyomingSource(ahead_ns=ahead_ns)
    kind, _, rest = spec.partition(":")
    kind, _, options = kind.partition(",")
    if spec == STDIN or (kind == STDIN and options and not rest):
        return PipeSource(fast=fast, pcm=_pcm(spec, options))
    if rest and kind in _PIPES:
        return _PIPES[kind](_checked(spec, rest, path_of), _pcm(spec, options))
    kind = spec.partition(":")[0]
    if rest and kind == "mic":
        return MicSource(_checked(spec, rest, name_of), gain)
    if rest and kind == "monitor":
        return MonitorSource(_checked(spec, rest, name_of))
    path = _checked(spec, rest, path_of)
    if rest and kind == "unix":
        return UnixSource(path, ahead_ns)
    if rest and kind == "wyoming":
        return WyomingSource(*_address(spec, rest), ahead_ns=ahead_ns)
    if rest and kind == "file":
        return _file_source(path, fast)
    if names_sound_file(spec):  # of a path that may contain colons
        return _file_source(_checked(spec, spec, path_of), fast)
    raise UsageError(f"source '{spec}': invalid; use {SPECS}")


def _file_source(path: str, fast: bool) -> Source:
    from .file import FileSource  # and libsndfile, which nothing else needs

    return FileSource(path, fast)


def _pcm(spec: str, options: str) -> Pcm:
    """What raw sound is, of `rate=48000,channels=2,format=f32le` or a part of that."""
    pcm = Pcm()
    for option in options.split(",") if options else ():
        name, _, value = option.partition("=")
        number = int(value) if value.isdecimal() and len(value) < 8 else -1
        if name == "format":
            pcm = pcm._replace(encoding=value.lower())
        elif name == "rate":
            pcm = pcm._replace(rate_hz=number)
        elif name == "channels":
            pcm = pcm._replace(channels=number)
        else:
            raise UsageError(
                f"source '{spec}': '{option}' says nothing of its sound; use"
                " rate=HZ,channels=N,format=FORMAT before the colon"
            )
    try:
        return pcm.check()
    except ValueError as error:
        raise UsageError(f"source '{spec}': {error}") from None


def _address(spec: str, text: str) -> Tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 address may stand in brackets."""
    host, _, port = text.rpartition(":")
    if not (host and port.isdecimal() and 1 <= int(port) <= 65535):
        raise UsageError(
            f"source '{spec}': no address to listen at; use wyoming:HOST:PORT, such as"
            f" wyoming:{DEFAULT_HOST}:{DEFAULT_PORT}"
        )
    return host.strip("[]"), int(port)


def names_sound_file(text: str) -> bool:
    """Whether a text looks like the path of a sound file."""
    return text.lower().endswith(_SUFFIXES)


def _checked(spec: str, text: str, convert: Callable[[str], str]) -> str:
    """The name or path in a specification; UsageError where nothing can have it."""
    try:
        return convert(text)
    except ValueError as error:  # UnicodeEncodeError is one
        reason = "a lone surrogate" if isinstance(error, UnicodeError) else error
        raise UsageError(f"source {spec!a}: contains {reason}; remove it") from None


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
    voices = [source for source in sources if isinstance(source, VoiceSource)]
    for voice in voices:
        voice.others = [other for other in voices if other is not voice]
    return Selector([Supervisor(source) for source in sources], hold_s)
