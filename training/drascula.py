"""What the actors of an adventure game say in English and in Spanish: Debian's drascula and drascula-spanish.

The game keeps the texts of all languages in one file: for each character the number of lines, then, for each
language, the size of its lines and the lines, which begin with their own size. Line n is the sound n of the
character, `_ROLES` tells which files are whose.
"""

import struct
from pathlib import Path

from edgeface.core.errors import UnavailableError

from .recordings import ACTORS, Recording

_GAME = Path("/usr/share/scummvm/drascula")
_ROLES = (
    "",
    "D",
    "B",
    "BJ",
    "E",
    "I",
    "L",
    "P",
    "T",
    "VB",
)  # in the order of their texts; first the hero
_LANGUAGES = ("en", "es", "de", "fr", "it", "ru")  # in the order of a character's texts
_SPOKEN = {
    "en": ("en", "en-us"),
    "es": (ACTORS, "es"),
}  # language: group of `recordings`, voice of espeak-ng
_FIRST = b"THAT'S THE SECOND BIGGEST DOOR I'VE SEEN IN MY LIFE"  # line 1 of the hero
_BEFORE_FIRST = 12  # bytes: number and size of his lines, his line 0, which is empty


def texts(data):
    """What each of `_ROLES` says, by language: list of (language to list of its lines).

    :param data: bytes of the game's `drascula.dat`
    """
    at, found = data.index(_FIRST) - _BEFORE_FIRST, []
    for _ in _ROLES:
        (count,) = struct.unpack_from(">H", data, at)
        at += 2
        found.append({})
        for language in _LANGUAGES:
            at += 4
            lines = found[-1][language] = []
            for _ in range(count):
                (size,) = struct.unpack_from(">H", data, at)
                lines.append(data[at + 2 : at + size].rstrip(b"\0").decode("cp850"))
                at += size
    return found


def spoken():
    """What is said aloud, to judge by in English, to hear in Spanish, as a list of `recordings.Recording`.

    :raises UnavailableError: the game is not installed
    """
    if not all((_GAME / language).exists() for language in _SPOKEN):
        raise UnavailableError("no actors of drascula; apt install drascula drascula-spanish")
    found = []
    for role, lines in zip(_ROLES, texts((_GAME / "en" / "drascula.dat").read_bytes())):
        for language, (group, voice) in _SPOKEN.items():
            for number, text in enumerate(lines[language]):
                path = _GAME / language / f"{role}{number}.ALS"
                if text and path.exists():
                    found.append(
                        Recording(f"human-{group}-{path.stem}", group, voice, text.lower(), path)
                    )
    return found
