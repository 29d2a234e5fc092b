"""`edgeface devices`: where sound can come from, and where it can go."""

from ..core.errors import UnavailableError
from ..devices import portaudio
from ..devices.bounded_call import Impatient
from ..devices.pulse import monitors

EXAMPLE = """example:
  edgeface devices
A line is what goes after --source or into audio.sources; of a name, a part is
enough. * marks what `mic` and `monitor` alone, and playback `default`, mean."""

PROGRAMS = (
    ("cmd:COMMAND", "a program that writes raw s16le mono 16 kHz sound"),
    ("fifo:PATH", "a named pipe into which programs write such sound"),
    ("unix:PATH", "a socket into which a text-to-speech program writes its voice"),
)


def add_arguments(parser):
    """Adds the verb's arguments: none."""
    del parser


def execute(options):
    """Runs the verb."""
    del options
    inputs, outputs = _devices()
    print("Sources")
    for line in inputs or ["  no input device; plug in a microphone or start the sound server"]:
        print(line)
    for line in _monitors():
        print(line)
    for spec, text in PROGRAMS:
        print("  %-28s %s" % (spec, text))
    print("Playback of the voice (audio.playback)")
    for line in outputs or ["  no output device"]:
        print(line)


def _devices():
    """Lines of inputs and of outputs."""
    sounddevice = portaudio.load()
    devices = Impatient("devices").call(portaudio.ANSWER_S, sounddevice.query_devices)
    lines = []
    for kind, prefix, default in zip(("input", "output"), ("mic:", ""), sounddevice.default.device):
        lines.append(
            [
                "%s %-28s %d channels, %d Hz"
                % (
                    "*" if i == default else " ",
                    prefix + info["name"],
                    info[f"max_{kind}_channels"],
                    info["default_samplerate"],
                )
                for i, info in enumerate(devices)
                if info[f"max_{kind}_channels"] > 0
            ]
        )
    return lines


def _monitors():
    try:
        sinks = Impatient("devices").call(portaudio.ANSWER_S, monitors)
    except UnavailableError as error:
        return [f"  monitor                      {error}"]
    return [
        "%s %-28s what the machine plays" % ("*" if i == 0 else " ", "monitor:" + sink)
        for i, sink in enumerate(sinks)
    ]
