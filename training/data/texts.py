"""Texts that voices read: sentences and words of Debian's fortunes."""

import re
from pathlib import Path
from typing import List

from edgeface.core.errors import UnavailableError

_FORTUNES = Path("/usr/share/games/fortunes")
_TOPICS = (
    "education",
    "food",
    "kids",
    "literature",
    "news",
    "people",
    "pets",
    "platitudes",
    "riddles",
    "science",
    "songs-poems",
    "sports",
    "wisdom",
    "work",
)
_FEWEST_WORDS = 4  # of a sentence
_MOST_WORDS = 16


def english_sentences() -> List[str]:
    """English sentences of 4 to 16 words, in a fixed order.

    :raises UnavailableError: the texts are not installed
    """
    found = []
    for topic in _TOPICS:
        path = _FORTUNES / topic
        if not path.exists():
            raise UnavailableError(f"{path} is missing; apt install fortunes")
        text = path.read_text("utf-8", "replace").replace("\n", " ")
        for sentence in re.split(r"(?<=[.!?])\s+|%", text):
            words = re.findall(r"[A-Za-z']+", sentence)
            is_plain = re.fullmatch(r"[\sA-Za-z',;.!?-]+", sentence or "0")
            if _FEWEST_WORDS <= len(words) <= _MOST_WORDS and is_plain:
                found.append(" ".join(sentence.split()))
    return sorted(set(found))


def words(pattern: str, letters: str) -> List[str]:
    """Words of some letters, as often as the texts have them.

    :param pattern: of the texts' names below Debian's fortunes
    :param letters: as in the brackets of a regular expression
    :raises UnavailableError: no text is installed
    """
    paths = sorted(path for path in _FORTUNES.glob(pattern) if path.suffix not in (".dat", ".u8"))
    if not paths:
        raise UnavailableError(
            "no words to read; apt install fortunes-br fortunes-de fortunes-eo fortunes-es "
            "fortunes-it fortunes-pl fortunes-ru"
        )
    text = " ".join(path.read_text("utf-8", "replace") for path in paths).lower()
    return re.findall(rf"(?<!\w)[{letters}]{{2,12}}(?!\w)", text)
