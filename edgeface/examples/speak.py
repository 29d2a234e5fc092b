"""Speaks a sentence with espeak-ng through the socket of a running daemon.

    edgeface run --source unix:/tmp/voice &
    python -m edgeface.examples.speak "Good morning." --socket /tmp/voice

With `audio.playback` set, the daemon plays the voice, and lips and sound agree.
"""

import argparse
import io
import subprocess
import sys
import wave

from ..voice import DEFAULT_PATH, Voice

_DESCRIPTION = "Speaks a sentence with espeak-ng through the socket of a running daemon."


def main() -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=_DESCRIPTION)
    parser.add_argument("text")
    parser.add_argument("--socket", default=DEFAULT_PATH, help="default: %(default)s")
    parser.add_argument("--language", default="en", help="a voice of espeak-ng")
    options = parser.parse_args()
    try:
        wav = subprocess.check_output(
            ["espeak-ng", "-v", options.language, "--stdout", options.text]
        )
        with wave.open(io.BytesIO(wav)) as file, Voice(options.socket) as voice:
            voice.say(file.readframes(file.getnframes()), file.getframerate())
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(
            f"speak: {error}; install espeak-ng, and start"
            f" `edgeface run --source unix:{options.socket}`\n"
        )
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
