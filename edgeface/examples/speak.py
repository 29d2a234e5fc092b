"""Speaks a sentence with espeak-ng through the socket of a running daemon.

    edgeface run --source unix &
    python -m edgeface.examples.speak "Good morning."

With `audio.playback` set, the daemon plays the voice, and lips and sound agree.
"""

import argparse
import io
import subprocess
import sys
import wave
from typing import Tuple

from ..voice import Voice, default_path

_DESCRIPTION = "Speaks a sentence with espeak-ng through the socket of a running daemon."


def main() -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=_DESCRIPTION)
    parser.add_argument("text")
    parser.add_argument(
        "--socket",
        help="the daemon's socket; by default that of this user's daemon"
        f" or of the service, here {default_path()}",
    )
    parser.add_argument("--language", default="en", help="a voice of espeak-ng")
    options = parser.parse_args()
    try:
        pcm, rate_hz = synthesise(options.text, options.language)
    except FileNotFoundError:
        return _fail("espeak-ng: not found; install it (`apt install espeak-ng`)")
    except (OSError, subprocess.CalledProcessError, wave.Error, EOFError) as error:
        return _fail(f"espeak-ng: {error}; check the text and --language {options.language}")
    try:
        with Voice(options.socket) as voice:
            voice.say(pcm, rate_hz)
    except OSError as error:
        return _fail(error.strerror or str(error))
    return 0


def synthesise(text: str, language: str) -> Tuple[bytes, int]:
    """The sentence as signed 16-bit mono, and its sampling rate in Hz; raises what goes wrong."""
    # the text comes after `--`: it may begin with a dash
    wav = subprocess.check_output(
        ["espeak-ng", "-v", language, "--stdout", "--", text], stderr=subprocess.PIPE
    )
    with wave.open(io.BytesIO(wav)) as file:
        return file.readframes(file.getnframes()), file.getframerate()


def _fail(message: str) -> int:
    sys.stderr.write(f"speak: {message}\n")
    return 69


if __name__ == "__main__":
    sys.exit(main())
