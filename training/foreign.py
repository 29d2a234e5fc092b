"""Words of other languages in voices of RHVoice: the acoustic model of `align` finds when which phone is."""

import re
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from edgeface.core.errors import UnavailableError

from .align import LEFT_OVER, acoustic_model, aligned, left_over, spelled
from .fbank import fbank_of
from .languages import Speaker
from .readers import read
from .speech import FOREIGN, store

_FORTUNES = Path("/usr/share/games/fortunes")  # of Debian's fortunes-br, -eo, -pl and -ru
_FEWEST, _MOST = 4, 9  # words at once
_JUDGED = 12  # texts by each judge
_TRIED = 5000  # texts by a voice, at most; of some voices most fit their phones ill


@dataclass
class Language:
    """`texts` whose words of `letters` a language's `voices` and `judges` read by its own rules, theirs or not.

    Nothing may be made of the judges, or sold that is, so no training hears them.
    """

    texts: str
    letters: str
    voices: tuple = ()
    judges: tuple = ()


# by their names in espeak-ng; without evgeniy-rus, who judges as another in `readers`
LANGUAGES = {
    "ru": Language(
        "ru/*",
        "а-яё",
        ("aleksandr", "anna", "elena", "irina"),
        ("artemiy", "arina", "mikhail", "pavel", "tatiana", "victoria", "vitaliy", "yuriy"),
    ),
    "uk": Language("ru/*", "а-щьюя", ("anatol", "natalia"), ("marianna", "volodymyr")),
    "ky": Language("ru/*", "а-яё", ("azamat", "nazgul")),
    "pt-br": Language("brasil", "a-zà-ú", ("Leticia-F123",)),
    "eo": Language("eo/*", "a-pr-vzĉĝĥĵŝŭ", ("spomenka",)),
    "mk": Language("ru/*", "а-зик-шч", judges=("kiko", "suze")),
    "tt": Language("ru/*", "а-яё", judges=("talgat",)),
    "pl": Language("pl/*", "a-ząćęłńóśźż", judges=("magda", "natan")),
    "sq": Language("brasil", "a-z", judges=("hana",)),
}


def words(language):
    """Words that a voice of `LANGUAGES[language]` can read, as often as its texts have them.

    :raises UnavailableError: no text is installed
    """
    paths = sorted(
        path
        for path in _FORTUNES.glob(LANGUAGES[language].texts)
        if path.suffix not in (".dat", ".u8")
    )
    if not paths:
        raise UnavailableError(
            "no words to read; apt install fortunes-br fortunes-eo fortunes-pl fortunes-ru"
        )
    text = " ".join(path.read_text("utf-8", "replace") for path in paths).lower()
    return re.findall(rf"(?<!\w)[{LANGUAGES[language].letters}]{{2,12}}(?!\w)", text)


def synthesise(cache, minutes, seed=6):
    """Adds to cache/speech what every voice reads in its share of `minutes`; resumable.

    :raises UnavailableError: RHVoice, a voice or a text is not installed
    """
    aloud = _Aloud(cache)
    voices = [(name, voice) for name, language in LANGUAGES.items() for voice in language.voices]
    for language, voice in tqdm(voices, desc="foreign voices", disable=None):
        total_s = 0.0
        for number, (text, pitch, speed) in enumerate(_texts(language, voice, seed)):
            name = f"{FOREIGN}{voice}-{number:05}"
            path = Path(cache, "speech", f"{name}.flac")
            if not path.with_suffix(".json").exists():
                samples, phones = aloud.read(language, voice, text, pitch, speed)
                if not phones:
                    continue
                store(path.parent, name, samples, phones)
            total_s += soundfile.info(str(path)).duration
            if total_s >= 60 * minutes / len(voices):
                break


def read_aloud(cache, seed=7):
    """What the judges read: language to a list of (samples, list of (start_s, end_s, phone)), as `abroad.recorded`.

    :raises UnavailableError: RHVoice, a voice or a text is not installed
    """
    aloud, found = _Aloud(cache), {}
    for name, language in LANGUAGES.items():
        for voice in language.judges:
            read = (
                aloud.read(name, voice, text, 1.0, 1.0) for text, _, _ in _texts(name, voice, seed)
            )
            found.setdefault(name, []).extend(islice((one for one in read if one[1]), _JUDGED))
    return found


def _texts(language, voice, seed):
    """Texts for a voice, each with a factor on F0 and one on the rate."""
    rng, known = np.random.default_rng((seed, zlib.crc32(voice.encode()))), words(language)
    for _ in range(_TRIED):
        text = " ".join(
            known[at] for at in rng.integers(len(known), size=rng.integers(_FEWEST, _MOST + 1))
        )
        yield (text, *np.exp(rng.uniform(-0.2, 0.2, 2)))


class _Aloud:
    """Reads, and finds the phones."""

    def __init__(self, cache):
        self._model, self._speaker = acoustic_model(cache), Speaker()

    def read(self, language, voice, text, pitch, speed):
        """Float32 [N], and list of (start_s, end_s, phone) or None where they fit the sound ill."""
        samples, wanted = (
            read(f"rhvoice-{voice}", text, pitch, speed),
            spelled(self._speaker, language, text),
        )
        phones = wanted and aligned(self._model, fbank_of(samples), wanted)
        return samples, phones if phones and left_over(samples, phones) <= LEFT_OVER else None
