"""Words of other languages in voices of RHVoice and SVOX Pico.

The acoustic model finds when which phone is.
"""

import zlib
from pathlib import Path
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

import numpy as np
from tqdm import tqdm

from training.phonetics import acoustic_model
from training.phonetics.alignment import aligned, explains, spelled
from training.phonetics.espeak import Speaker
from training.phonetics.timing import PhoneTimes
from training.signal.fbank import fbank_of

from . import texts
from .align_recordings import MODEL
from .english_voices import VARIATION
from .manifest import BY_ACOUSTIC_MODEL, SYNTHESISER, Utterance
from .recordings import PEOPLE_WEIGHT
from .store import LONGEST_S, Store
from .text_to_speech import program_of, read

_FEWEST = 4  # words at once
_MOST = 9
_TRIED = 5000  # texts by a voice, at most; of some voices most fit their phones ill
_LGPL = "LGPL-2.1-or-later"


class Language(NamedTuple):
    """Texts below Debian's fortunes, and the letters of the words in them that are read."""

    texts: str
    letters: str


# by their names in espeak-ng; read by its rules, whether the texts are in them or not
LANGUAGES = {
    "ru": Language("ru/*", "а-яё"),
    "uk": Language("ru/*", "а-щьюя"),
    "ky": Language("ru/*", "а-яё"),
    "pt-br": Language("brasil", "a-zà-ú"),
    "eo": Language("eo/*", "a-pr-vzĉĝĥĵŝŭ"),
    "mk": Language("ru/*", "а-зик-шч"),
    "tt": Language("ru/*", "а-яё"),
    "pl": Language("pl/*", "a-ząćęłńóśźż"),
    "sq": Language("brasil", "a-z"),
    "de": Language("de/*", "a-zäöüß"),
    "es": Language("es/*.fortunes", "a-zñáéíóúü"),
    "it": Language("it/*", "a-zàèéìòù"),
}
# voice: language, licence; those by which bundles are judged are in `judge.unheard`
VOICES: Dict[str, Tuple[str, str]] = {
    "aleksandr": ("ru", _LGPL),
    "anna": ("ru", _LGPL),
    "elena": ("ru", _LGPL),
    "irina": ("ru", _LGPL),
    "anatol": ("uk", _LGPL),
    "natalia": ("uk", _LGPL),
    "azamat": ("ky", _LGPL),
    "nazgul": ("ky", _LGPL),
    "Leticia-F123": ("pt-br", "CC-BY-SA-4.0"),
    "spomenka": ("eo", _LGPL),
    "pico-de-DE": ("de", "Apache-2.0"),
    "pico-es-ES": ("es", "Apache-2.0"),
    "pico-it-IT": ("it", "Apache-2.0"),
}


def words(language: str) -> list:
    """Words that a voice of `LANGUAGES[language]` can read, as often as its texts have them.

    :raises UnavailableError: no text is installed
    """
    return texts.words(LANGUAGES[language].texts, LANGUAGES[language].letters)


def synthesise(store: Store, minutes: float, seed: int = 6) -> None:
    """Adds what every voice reads in its share of `minutes`; resumable.

    :raises UnavailableError: RHVoice, SVOX Pico, a voice or a text is not installed
    """
    reader = Reader(store.folder)
    for voice, (language, licence) in tqdm(VOICES.items(), desc="other languages", disable=None):
        total_s = 0.0
        for number, (text, pitch, speed) in enumerate(random_texts(language, voice, seed)):
            key = f"words-{voice}-{number:05}"
            if key not in store.manifest:
                samples, phones = reader.read(language, voice, text, pitch, speed)
                if phones is None:
                    continue
                utterance = Utterance(
                    id=key,
                    kind=SYNTHESISER,
                    source=program_of(voice),
                    licence=licence,
                    speaker=voice,
                    language=language,
                    text=text,
                    aligned_by=BY_ACOUSTIC_MODEL,
                    weight=PEOPLE_WEIGHT,  # many voices, and little of each
                )
                store.add(utterance, samples, phones, LONGEST_S)
            total_s += store.seconds(key)
            if total_s >= 60 * minutes / len(VOICES):
                break


def random_texts(language: str, voice: str, seed: int) -> Iterator[Tuple[str, float, float]]:
    """Texts for a voice, each with a factor on F0 and one on the rate."""
    rng = np.random.default_rng((seed, zlib.crc32(voice.encode())))
    known = words(language)
    for _ in range(_TRIED):
        chosen = rng.integers(len(known), size=rng.integers(_FEWEST, _MOST + 1))
        pitch, speed = np.exp(rng.uniform(-VARIATION, VARIATION, 2))
        yield " ".join(known[at] for at in chosen), pitch, speed


class Reader:
    """Reads with a voice, and finds the phones.

    :param cache: folder with the acoustic model of `align_recordings`
    """

    def __init__(self, cache: Path):
        self._model = acoustic_model.load(Path(cache, MODEL))
        self._speaker = Speaker()

    def read(
        self, language: str, voice: str, text: str, pitch: float, speed: float
    ) -> Tuple[np.ndarray, Optional[PhoneTimes]]:
        """Sound float32 [N], and when which phone is in it; None where they fit it ill."""
        samples = read(voice, text, pitch, speed)
        wanted = spelled(self._speaker, language, text)
        phones = aligned(self._model, fbank_of(samples), wanted) if wanted else None
        return samples, phones if explains(phones, samples) else None
