"""English actors of an adventure game, Debian's flight-of-the-amazon-queen: what they say, piece by piece.

The game is one file: a table of its parts, then the parts. A dialogue (`*.DOG`) holds the answers of the hero
and of whom he talks to, each with a number; a scene without a choice (`*.CUT`) holds what is said in it; a text
(`QUEEN2.JAS`) holds first, in lines, what the hero says of things. Gestures cut all that into pieces. The sound of
a piece is an MP3 named after where it stands.
"""

import io
import re
import struct
from pathlib import Path

import soundfile
import soxr

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

_GAME = Path("/usr/share/scummvm/flight-of-the-amazon-queen/queen.1c")
_HERO = "joe"
_COUNT = struct.Struct(">13xH")
_PART = struct.Struct(">12sxII")  # name, beginning, bytes
_DIALOGUE = struct.Struct(
    ">20xh2xH16xHH"
)  # levels, number, where the other's answers begin and end
_LEVEL_BYTES = 96
_SCENE = struct.Struct(">28xHH")  # where its texts begin and end
_DESCRIPTIONS, _FIRST_DESCRIPTION = (
    "QUEEN2.JAS",
    41,
)  # number of its first line in the names of sounds
_HEADER_BYTES = 20, 32  # before what such positions count from, and of it


def answers(dialogue):
    """What is said in a dialogue of the game.

    :param dialogue: bytes of its part
    :return: number of the dialogue, list of (whether the hero says it, number of the answer, its text)
    """
    levels, number, begin, end = _DIALOGUE.unpack_from(dialogue)
    before, header = _HEADER_BYTES
    hero, found = before + header + _LEVEL_BYTES * abs(levels), []
    for by_hero, first, stop in (
        (True, hero, before + begin),
        (False, before + begin, before + end),
    ):
        at = first
        while at + 5 <= min(stop, len(dialogue)):
            answer, length = struct.unpack_from(">IB", dialogue, at)
            found.append((by_hero, answer, dialogue[at + 5 : at + 5 + length].decode("latin-1")))
            at += (5 + length + 3) // 4 * 4
    return number, found


def strings(scene):
    """What is said in a scene of the game, with other texts in between, as a list.

    :param scene: bytes of its part
    """
    begin, end = (position + _HEADER_BYTES[0] for position in _SCENE.unpack_from(scene))
    at, found = begin, []
    while at < min(end, len(scene)):
        length = scene[at]
        found.append(scene[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
        if length:
            at += at % 2
    return found


def _texts(parts):
    """Whatever may be said, as (who, how the names of its sounds begin, text with gestures)."""
    for part in sorted(parts):
        if part.endswith(".DOG"):
            number, said_there = answers(parts[part])
            for by_hero, answer, text in said_there:
                who = _HERO if by_hero else re.sub(r"\d*\.DOG", "", part).lower()
                yield who, f"{number:02}{answer:04X}{'J' if by_hero else 'P'}", text
        elif part.endswith(".CUT"):
            for number, text in enumerate(strings(parts[part])):
                yield "scene", f"{part[: -len('.CUT')].ljust(5, '_')}{number:02}", text
    for number, text in enumerate(
        parts.get(_DESCRIPTIONS, b"").decode("latin-1").split("\r\n"), _FIRST_DESCRIPTION
    ):
        yield _HERO, f"JOE{number:04}", text


def lines():
    """Every piece of what is said that has a sound, as (name, text, samples float32 [N] at 16 kHz).

    :raises UnavailableError: the game is not installed
    """
    if not _GAME.exists():
        raise UnavailableError("no game of English actors; apt install flight-of-the-amazon-queen")
    for name, text, sound in pieces(_GAME.read_bytes()):
        samples, rate_hz = soundfile.read(io.BytesIO(sound), dtype="float32")
        yield name, text, soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).clip(-1, 1)


def pieces(game):
    """Every piece of what is said that has a sound, as (name, text, bytes of an MP3).

    :param game: bytes of the game
    """
    (count,) = _COUNT.unpack_from(game)
    parts = {}
    for at in range(count):
        name, begin, size = _PART.unpack_from(game, _COUNT.size + _PART.size * at)
        parts[name.rstrip(b"\0").decode("latin-1")] = game[begin : begin + size]
    for who, sounds, text in _texts(parts):
        for at, piece in enumerate(re.split(r"\*..", text), 1):
            sound = f"{sounds}{at}"
            if piece.strip() and f"{sound}.SB" in parts:
                yield f"{who}-{sound}", piece, parts[f"{sound}.SB"]
