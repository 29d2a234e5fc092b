"""Inputs that this user can hear."""

import shutil
from typing import Iterator

from ..config import Settings
from ..core.advice import as_root
from ..core.errors import UnavailableError
from ..devices import portaudio
from ..devices.bounded_call import BoundedCaller
from ..devices.pulse import monitors as pulse_monitors
from ..source.spec import make_selector
from .finding import OK, WARN, Finding


def microphones(_settings: Settings) -> Iterator[Finding]:
    """Inputs that PortAudio lists."""
    sounddevice = portaudio.load()
    devices = BoundedCaller("sound").call(portaudio.ANSWER_S, sounddevice.query_devices)
    names = [info["name"] for info in devices if info["max_input_channels"] > 0]
    if names:
        yield Finding("microphones", OK, ", ".join(names))
    else:
        fix = "plug one in, start the sound server, or join the group audio"
        yield Finding("microphones", WARN, "none", fix)


def monitors(_settings: Settings) -> Iterator[Finding]:
    """Outputs whose sound can be recorded."""
    if shutil.which("parec") is None:
        fix = f"{as_root('apt install pulseaudio-utils')}, if `monitor` is to be used"
        yield Finding("monitor", WARN, "parec is missing", fix)
        return
    try:
        sinks = BoundedCaller("sound").call(portaudio.ANSWER_S, pulse_monitors)
    except UnavailableError as error:
        yield Finding("monitor", WARN, str(error), "needed for `monitor` alone")
    else:
        yield Finding("monitor", OK, ", ".join(sinks))


def sources(settings: Settings) -> Iterator[Finding]:
    """That the configured sources are valid; those that are unavailable now are waited for."""
    make_selector(settings.audio.sources, 0.0)
    yield Finding("sources", OK, ", ".join(settings.audio.sources))
