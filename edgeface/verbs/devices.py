"""`edgeface devices`: what can be recorded."""

from ..source.mic import portaudio, within

EXAMPLE = """example:
  edgeface devices
The name, or a part of it, goes after mic: in --source."""


def add_arguments(parser):
    """Adds the verb's arguments: none."""
    del parser


def execute(options):
    """Runs the verb."""
    del options
    sounddevice = portaudio()
    devices = within(4.0, sounddevice.query_devices, "list")
    default = sounddevice.default.device[0]
    lines = ["%s mic:%s   (%d channels, %d Hz)" % ("*" if i == default else " ", info["name"],
                                                 info["max_input_channels"], info["default_samplerate"])
             for i, info in enumerate(devices) if info["max_input_channels"] > 0]
    print("\n".join(lines) if lines else "no input device; plug in a microphone or start the sound server")
    if lines:
        print("* what `mic` alone means")
