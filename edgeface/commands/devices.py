"""`edgeface devices`: where sound can come from, and where it can be played."""

import argparse
from typing import Any, List

from ..core.errors import UnavailableError
from ..devices import portaudio, pulse
from ..devices.bounded_call import BoundedCaller

EXAMPLE = """example:
  edgeface devices
Each line starts with what to write after --source or into audio.sources; of a
name, a part is enough. * marks what `mic` and `monitor` alone, and the playback
device `default`, stand for."""

PROGRAMS = (
    ("cmd:COMMAND", "a program that writes WAV, or raw sound (s16le mono 16 kHz)"),
    ("fifo:PATH", "a named pipe into which programs write such sound"),
    ("unix:PATH", "a socket into which a text-to-speech program writes its voice"),
    ("wyoming:HOST:PORT", "a port at which a voice assistant finds a sound output"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments: none."""
    del parser


def execute(options: argparse.Namespace) -> None:
    """Runs the verb."""
    del options
    sounddevice = portaudio.load()
    devices = BoundedCaller("devices").call(portaudio.ANSWER_S, sounddevice.query_devices)
    default_input, default_output = sounddevice.default.device
    inputs = _lines(devices, "input", default_input, "mic:")
    outputs = _lines(devices, "output", default_output, "")
    print("Sources")
    for line in inputs or ["  no input device; plug in a microphone or start the sound server"]:
        print(line)
    for line in _monitors():
        print(line)
    for spec, text in PROGRAMS:
        print(_line(spec, text))
    print("Playback of the voice (audio.playback)")
    for line in outputs or ["  no output device"]:
        print(line)


def _line(spec: str, text: str, is_default: bool = False) -> str:
    mark = "*" if is_default else " "
    return f"{mark} {spec:<28} {text}"


def _lines(devices: Any, kind: str, default: int, prefix: str) -> List[str]:
    """A line for each of PortAudio's devices of a kind, `input` or `output`."""
    lines = []
    for i, info in enumerate(devices):
        channels = info[f"max_{kind}_channels"]
        if channels > 0:
            text = f"{channels} channels, {info['default_samplerate']:.0f} Hz"
            lines.append(_line(prefix + info["name"], text, i == default))
    return lines


def _monitors() -> List[str]:
    try:
        sinks = BoundedCaller("devices").call(pulse.ANSWER_S, pulse.monitors)
    except UnavailableError as error:
        return [_line("monitor", str(error))]
    return [
        _line(f"monitor:{sink}", "what the machine plays", i == 0) for i, sink in enumerate(sinks)
    ]
