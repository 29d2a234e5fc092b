"""Prompts of a telephone exchange in five languages, with transcripts: Debian's asterisk."""

import gzip
import re
from pathlib import Path
from typing import List, NamedTuple, Tuple

from edgeface.core.errors import UnavailableError

from .manifest import TEST, TRAIN, split_by_name
from .recordings import Recording, installed

_SOUNDS = "/usr/share/asterisk/sounds"
_TRANSCRIPTS = "/usr/share/doc/asterisk-core-sounds-%s/core-sounds-%s.txt.gz"


class _Prompts(NamedTuple):
    """voice: of espeak-ng, which knows the pronunciation; folder: below `_SOUNDS`."""

    voice: str
    folder: str
    speaker: str
    licence: str


# by their language
PROMPTS = {
    "en": _Prompts("en-us", "en_US_f_Allison", "Allison Smith", "CC-BY-SA-3.0"),
    "es": _Prompts("es-419", "es_MX_f_Allison", "Allison Smith", "CC-BY-SA-3.0"),
    "fr": _Prompts("fr", "fr_CA_f_June", "June Wallack", "CC-BY-SA-3.0"),
    "it": _Prompts("it", "it_IT_m_Carlo", "Carlo Flora", "CC-BY-3.0"),
    "ru": _Prompts("ru", "ru_RU_f_IvrvoiceRU", "Maxim", "CC-BY-3.0"),
}
ALIGNED = ("es", "fr", "it", "ru")  # by the acoustic model; pocketsphinx aligns the English ones
# whoever reads these is in no training: how well is somebody followed who was never heard?
_TEST_LANGUAGES = ("ru",)
_ANNOUNCER = "it_IT_f_Menardi"  # of asterisk-prompt-it-menardi-wav, says much of what Carlo does


def prompts(language: str) -> List[Recording]:
    """What a telephone exchange says, as `Recording`s."""
    one = PROMPTS[language]
    found = []
    for name, text, path in _announced(language, one.folder, ".g722"):
        key = name.replace("/", "_")
        # the name that bundles 3 to 20 hashed: what judged them must not be trained on now
        split = split_by_name(f"human-{language}-{key}")
        if language in _TEST_LANGUAGES:
            split = TEST
        elif language not in ALIGNED:
            split = TRAIN
        found.append(
            Recording(
                f"asterisk-{language}-{key}",
                path,
                text,
                voice=one.voice,
                language=language,
                speaker=one.speaker,
                source=f"asterisk-core-sounds-{language}",
                licence=one.licence,
                split=split,
            )
        )
    return found


def announcements() -> List[Recording]:
    """What a woman says to callers in Italian, as `Recording`s.

    :raises UnavailableError: the prompts are not installed
    """
    package = "asterisk-prompt-it-menardi-wav"
    found = [
        Recording(
            f"menardi-{name.replace('/', '_')}",
            path,
            text,
            voice="it",
            language="it",
            speaker="Menardi",
            source=package,
            licence="CC-BY-SA-3.0",
        )
        for name, text, path in _announced("it", _ANNOUNCER, ".wav")
    ]
    return installed(found, package)


def _announced(language: str, folder: str, suffix: str) -> List[Tuple[str, str, Path]]:
    """(name, text, path) of each prompt in a folder whose text is known."""
    transcript = _TRANSCRIPTS % (language, language)
    if not Path(transcript).exists():
        raise UnavailableError(
            f"{transcript} is missing; apt install asterisk-core-sounds-{language}"
        )
    with gzip.open(transcript, "rt", encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    found = []
    for line in lines:
        name, colon, text = line.strip().partition(":")
        path = Path(_SOUNDS, folder, name + suffix)
        is_name = colon and re.fullmatch(r"[\w/-]+", name)
        is_spoken = not re.search(r"[\[(<]", text)  # remarks in brackets may or may not be
        if is_name and is_spoken and path.exists():
            found.append((name, text.strip(), path))
    return found
