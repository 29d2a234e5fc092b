"""Recordings of people: Kerstin, letters, names of pictures, the dialogues of a game."""

import re
import xml.etree.ElementTree
from pathlib import Path
from typing import Iterator, List, Tuple

from .asterisk import ALIGNED, announcements, prompts
from .manifest import TEST, split_by_name
from .recordings import Recording, installed

BUNDLED_VOICE = ("de_rhasspy-0008", "de_rhasspy-0010")  # what `edgeface/voice.flac` consists of
# of Debian's klettres-data; its languages: voice of espeak-ng that knows their pronunciation
_LETTERS = "/usr/share/klettres"
_LETTER_VOICES = {
    "ar": "ar",
    "cs": "cs",
    "da": "da",
    "de": "de",
    "en": "en-us",
    "en_GB": "en",
    "es": "es",
    "fr": "fr",
    "he": "he",
    "hu": "hu",
    "it": "it",
    "lt": "lt",
    "ml": "ml",
    "nb": "nb",
    "nl": "nl",
    "pt_BR": "pt-br",
    "tn": "tn",
    "uk": "uk",
}
# of Debian's tuxpaint-stamps-default; its languages of which espeak-ng has a full dictionary, and
# whose recordings fit their texts; not the one by which is judged
_STAMPS = "/usr/share/tuxpaint/stamps"
_STAMP_LANGUAGES = ("el", "fr", "ro")
# of Debian's fillets-ng-data, and the languages in which it has actors
_GAME = "/usr/share/games/fillets-ng"
_GAME_LANGUAGES = ("cs", "nl")


def recordings(data: Path) -> List[Recording]:
    """All that `align_recordings` aligns.

    Of letters, stamps, dialogues and announcements none is in the test: p, b and m are few in
    them, or their transcripts are loose.

    :param data: folder that holds kerstin
    :raises UnavailableError: a package is not installed
    """
    found = kerstin(data) + letters() + stamps() + dialogues() + announcements()
    for language in ALIGNED:
        found += prompts(language)
    return found


def kerstin(data: Path) -> List[Recording]:
    """German sentences that a woman reads."""
    folder = Path(data) / "kerstin"
    found = []
    for line in (folder / "metadata.csv").read_text("utf-8").splitlines():
        name, _, text = line.partition("|")
        # the name that bundles 3 to 20 hashed: what judged them must not be trained on now
        split = TEST if name in BUNDLED_VOICE else split_by_name(f"human-de-{name}")
        found.append(
            Recording(
                f"kerstin-{name}",
                folder / "audio" / f"{name}.opus",
                text,
                voice="de",
                language="de",
                speaker="Kerstin",
                source="kerstin",
                licence="CC0-1.0",
                split=split,
            )
        )
    return found


def letters() -> List[Recording]:
    """Letters and syllables that eighteen people read to children, each in another language."""
    found = []
    for code, voice in _LETTER_VOICES.items():
        for sound in xml.etree.ElementTree.parse(f"{_LETTERS}/{code}/sounds.xml").iter("sound"):
            path = Path(_LETTERS, sound.get("file", ""))
            if path.exists():
                found.append(
                    Recording(
                        f"klettres-{code}-{path.stem}",
                        path,
                        sound.get("name", "").lower(),
                        voice=voice,
                        language=voice,
                        speaker=f"klettres-{code}",
                        source="klettres-data",
                        licence="GPL-2.0-or-later",
                    )
                )
    return found


def stamps() -> List[Recording]:
    """What the pictures of a drawing program show, read to children in three languages.

    :raises UnavailableError: the program's pictures are not installed
    """
    package = "tuxpaint-stamps-default"
    found = []
    for path in sorted(Path(_STAMPS).rglob("*_desc_*.ogg")):
        picture, _, language = path.name[: -len(".ogg")].rpartition("_desc_")
        text = path.with_name(f"{picture}.txt")
        if language not in _STAMP_LANGUAGES or not text.exists():
            continue
        said = re.search(rf"^{language}\.utf8=(.+)$", text.read_text("utf-8"), re.MULTILINE)
        if said:
            place = path.relative_to(_STAMPS).parent.parts
            found.append(
                Recording(
                    "-".join(("tuxpaint", language, *place, picture)),
                    path,
                    said.group(1).strip(),
                    voice=language,
                    language=language,
                    speaker=f"tuxpaint-{language}",
                    source=package,
                    licence="GPL-2.0-or-later",
                )
            )
    return installed(found, package)


def dialogues() -> List[Recording]:
    """What two fish and those whom they meet say in a game, by Czech and by Dutch actors.

    Not every line is spoken as it is written: whoever aligns them must leave out what fits ill.

    :raises UnavailableError: the game, or one of its languages, is not installed
    """
    found = []
    for language in _GAME_LANGUAGES:
        package = f"fillets-ng-data-{language}"
        lines = [
            Recording(
                f"fillets-{language}-{level}-{key}",
                path,
                text,
                voice=language,
                language=language,
                speaker=f"fillets-ng-{language}",
                source=package,
                licence="GPL-2.0-only",
            )
            for level, key, text, path in _lines(language)
        ]
        found += installed(lines, f"fillets-ng-data {package}")
    return found


def _lines(language: str) -> Iterator[Tuple[str, str, str, Path]]:
    """(level, key, text, path) of each line of the game that is spoken in a language."""
    line = re.compile(r'^dialogId\("([\w-]+)".*\ndialogStr\("(.+)"\)', re.MULTILINE)
    for script in sorted(Path(_GAME, "script").glob(f"*/dialogs_{language}.lua")):
        level = script.parent.name
        for key, text in line.findall(script.read_text("utf-8")):
            path = Path(_GAME, "sound", level, language, f"{key}.ogg")
            if path.exists():
                yield level, key, text, path
