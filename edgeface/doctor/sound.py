"""Inputs that this user can hear."""

import ipaddress
import shutil
import time
from typing import Iterator

import numpy as np

from ..config import Settings
from ..core.advice import as_root
from ..core.errors import UnavailableError
from ..devices import portaudio
from ..devices.bounded_call import BoundedCaller
from ..devices.pulse import monitors as pulse_monitors
from ..source.base import SourceLost
from ..source.level_watch import QUIET_PEAK, ZERO_PEAK
from ..source.spec import make_selector, make_source
from .finding import OK, WARN, Finding

_RECORDED_S = 2.0


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
    for spec in settings.audio.sources:
        if spec.startswith("wyoming:") and not _is_local(spec):
            fix = "name 127.0.0.1, or let a firewall admit the assistant alone"
            found = "whoever reaches this machine can speak through it: Wyoming has no passwords"
            yield Finding(spec, WARN, found, fix)


def _is_local(spec: str) -> bool:
    """Whether nobody but this machine reaches the address of `wyoming:HOST:PORT`."""
    host = spec.partition(":")[2].rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def levels(settings: Settings) -> Iterator[Finding]:
    """Whether the configured microphones hear anything."""
    for spec in settings.audio.sources:
        if spec.partition(":")[0] == "mic":
            yield _level_of(spec)


def _level_of(spec: str) -> Finding:
    """Records from a microphone for two seconds."""
    source = make_source(spec)
    peak, heard_samples = 0.0, 0
    try:
        source.open()
        try:
            end_s = time.monotonic() + _RECORDED_S
            while time.monotonic() < end_s:
                block = source.read(0.1)
                if block is not None and len(block.samples):
                    heard_samples += len(block.samples)
                    peak = max(peak, float(np.abs(block.samples).max()))
        finally:
            source.close()
    except (UnavailableError, SourceLost) as error:
        return Finding(spec, WARN, str(error), "the daemon waits for it")
    if not heard_samples:
        return Finding(
            spec, WARN, "delivers nothing", "restart the sound server, or plug it in again"
        )
    if peak < ZERO_PEAK:
        return Finding(spec, WARN, "delivers digital silence", "check that it is not muted")
    found = f"{20.0 * np.log10(peak):.0f} dBFS at most in {_RECORDED_S:.0f} s"
    if peak < QUIET_PEAK:
        fix = "speak while the doctor listens; if it stays so, raise its level or audio.gain_db"
        return Finding(spec, WARN, f"very quiet, {found}", fix)
    return Finding(spec, OK, found)
