"""`edgeface voice`: speaks through the voice socket of a running daemon, and stops what speaks."""

import argparse
import os
import subprocess
import wave
from typing import Iterator, Tuple

from ..core.errors import DataError, UnavailableError, one_line
from ..core.rates import SAMPLE_RATE_HZ
from ..voice import Voice, default_path

EXAMPLE = """examples:
  edgeface voice say "Good morning."     needs espeak-ng
  edgeface voice say greeting.wav
  edgeface voice stop                    whoever speaks: sound and mouth fade out"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    socket = argparse.ArgumentParser(add_help=False)
    socket.add_argument(
        "--socket",
        metavar="PATH",
        help="the daemon's socket; by default that of this user's daemon or of the service, here"
        f" {default_path()}",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.required = True  # an argument of add_subparsers since Python 3.7
    say = actions.add_parser("say", parents=[socket], help="a sentence, or a sound file")
    say.add_argument("what", metavar="TEXT/FILE", help="a sentence, or the path of a sound file")
    say.add_argument("--language", default="en", help="a voice of espeak-ng, for a sentence")
    actions.add_parser(
        "stop", parents=[socket], help="ends what is heard, with a fade, and what is queued"
    )


def execute(options: argparse.Namespace) -> None:
    """Runs the verb; ends with 69 when no daemon listens, or it closes the connection."""
    try:
        with Voice(options.socket) as voice:
            if options.action == "stop":
                voice.stop()
                return
            for pcm, rate_hz in _sound_of(options.what, options.language):
                voice.say(pcm, rate_hz)
    except OSError as error:
        raise UnavailableError(error.strerror or str(error)) from None


def _sound_of(what: str, language: str) -> Iterator[Tuple[bytes, int]]:
    """Pieces of sound, signed 16-bit mono, each with its rate in Hz."""
    from ..source.spec import names_sound_file

    if os.path.isfile(what) or names_sound_file(what):
        return _read(what)
    return iter([_synthesise(what, language)])


def _read(path: str) -> Iterator[Tuple[bytes, int]]:
    """A sound file, at the rate of the face."""
    import numpy as np

    from ..source.file import FileSource

    source = FileSource(path, fast=True)
    try:
        block = source.read(0.0)
        while block is not None:
            yield np.round(block.samples * 32767.0).astype("<i2").tobytes(), SAMPLE_RATE_HZ
            block = source.read(0.0)
    finally:
        source.close()


def _synthesise(text: str, language: str) -> Tuple[bytes, int]:
    """A sentence, spoken by espeak-ng."""
    from ..examples.speak import synthesise

    try:
        return synthesise(text, language)
    except FileNotFoundError:
        raise UnavailableError(
            "espeak-ng: not found; install it (`apt install espeak-ng`), or give a sound file"
        ) from None
    except subprocess.CalledProcessError as error:
        reason = one_line(error.stderr.decode("utf-8", "replace")) or one_line(error)
        raise UnavailableError(f"espeak-ng: {reason}; check --language {language}") from None
    except (wave.Error, EOFError) as error:
        raise DataError(f"espeak-ng: {one_line(error)}; give a sound file instead") from None
