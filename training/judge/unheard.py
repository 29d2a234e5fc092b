"""Speech by which bundles are judged: no training has heard it, or not its speaker.

What voices are run for this and not for the training forbids to share what is made of it (CC BY-ND
4.0), or to do so for money (CC BY-NC-ND 4.0, CC BY-NC-SA 4.0, talgat's own licence). Nothing is
kept or shared here; whoever judges in a business checks what the licences of the non-commercial
ones allow. Those that are not installed are left out.
"""

from itertools import islice
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np

from edgeface.core.errors import UnavailableError
from training.data.manifest import PERSON, TEST, Utterance
from training.data.other_languages import Reader, random_texts
from training.data.store import Store
from training.data.text_to_speech import is_installed, read
from training.data.texts import english_sentences
from training.phonetics.english_aligner import EnglishAligner
from training.phonetics.espeak import Speaker
from training.phonetics.ipa import phone_of_ipa

from .closures import Spoken
from .sentences import SENTENCES

_RECORDINGS = 60  # of a language, here and there among all
_ENGLISH_VOICES = ("evgeniy-eng", "lyubov")
_ENGLISH_SENTENCES = 40  # by each
_ENGLISH_SEED = 99
# of RHVoice, by language; without evgeniy-rus, who is among the English ones
_OTHER_VOICES: Dict[str, Tuple[str, ...]] = {
    "ru": ("artemiy", "arina", "mikhail", "pavel", "tatiana", "victoria", "vitaliy", "yuriy"),
    "uk": ("marianna", "volodymyr"),
    "mk": ("kiko", "suze"),
    "tt": ("talgat",),
    "pl": ("magda", "natan"),
    "sq": ("hana",),
}
_OTHER_TEXTS = 12  # by each
_OTHER_SEED = 7


def synthetic() -> Spoken:
    """What espeak-ng says, by a talker of its own that is not in the training."""
    speaker = Speaker()
    found: Spoken = {}
    for language, sentences in SENTENCES.items():
        found[language] = []
        for sentence in sentences:
            samples, said = speaker.say(language, sentence)
            phones = [(start, end, phone_of_ipa(name)) for start, end, name in said]
            found[language].append((samples, phones))
    return found


def recorded(store: Store) -> Spoken:
    """What people say in the recordings of the test, by language.

    :raises MissingInputError: the cache has none
    """
    by_language: Dict[str, List[Utterance]] = {}
    for utterance in store.find((PERSON,), TEST):
        by_language.setdefault(utterance.language, []).append(utterance)
    found: Spoken = {}
    for language, kept in by_language.items():
        chosen = np.linspace(0, len(kept) - 1, min(len(kept), _RECORDINGS)).astype(int)
        found[language] = [(store.samples(kept[at]), store.phones(kept[at])) for at in chosen]
    return found


def english_voices() -> Spoken:
    """English sentences, by voice; pocketsphinx finds the phones.

    :raises UnavailableError: no such voice is installed
    """
    voices = _installed(_ENGLISH_VOICES)
    texts = english_sentences()
    aligner = EnglishAligner()
    order = np.random.default_rng(_ENGLISH_SEED).permutation(len(texts))
    found: Spoken = {}
    for voice in voices:
        found[voice] = []
        for at in order:
            samples = read(voice, texts[at])
            phones = aligner.align_text(samples, texts[at])
            if phones:
                found[voice].append((samples, phones))
            if len(found[voice]) == _ENGLISH_SENTENCES:
                break
    return found


def other_voices(cache: Path) -> Spoken:
    """Words of other languages, by language; the cache's acoustic model finds the phones.

    :raises UnavailableError: no such voice is installed
    """
    voices = [voice for voices in _OTHER_VOICES.values() for voice in voices]
    there = _installed(tuple(voices))
    reader = Reader(cache)
    found: Spoken = {}
    for language, its_voices in _OTHER_VOICES.items():
        for voice in its_voices:
            if voice in there:
                texts = random_texts(language, voice, _OTHER_SEED)
                read_aloud = (reader.read(language, voice, text, 1.0, 1.0) for text, _, _ in texts)
                aligned = ((samples, phones) for samples, phones in read_aloud if phones)
                found.setdefault(language, []).extend(islice(aligned, _OTHER_TEXTS))
    return found


def _installed(voices: Tuple[str, ...]) -> List[str]:
    there = [voice for voice in voices if is_installed(voice)]
    if not there:
        raise UnavailableError(f"no voice of RHVoice to judge by ({', '.join(voices)})")
    return there
