"""English sentences that voices of RHVoice and SVOX Pico read; pocketsphinx finds the phones."""

import numpy as np
from tqdm import tqdm

from training.phonetics.english_aligner import EnglishAligner

from .manifest import BY_POCKETSPHINX, SYNTHESISER, Utterance
from .store import LONGEST_S, Store
from .text_to_speech import program_of, read
from .texts import english_sentences

# voice: licence; RHVoice's slt speaks in flite too
VOICES = {
    "bdl": "LGPL-2.1-or-later",
    "clb": "LGPL-2.1-or-later",
    "alan": "LGPL-2.1-or-later",
    "pico-en-GB": "Apache-2.0",
    "pico-en-US": "Apache-2.0",
}
VARIATION = 0.2  # natural logarithm of the factors on pitch and speed, at most


def synthesise(store: Store, minutes: float, seed: int = 4) -> None:
    """Adds what every voice reads in its share of `minutes`; resumable.

    :raises UnavailableError: a voice is not installed
    """
    rng = np.random.default_rng(seed)
    texts = english_sentences()
    aligner = EnglishAligner()
    order = rng.permutation(len(texts))
    for number, voice in enumerate(tqdm(VOICES, desc="English voices", disable=None)):
        total_s = 0.0
        for at in order[number :: len(VOICES)]:
            if total_s >= 60 * minutes / len(VOICES):
                break
            pitch, speed = np.exp(rng.uniform(-VARIATION, VARIATION, 2))
            key = f"english-{voice}-{at:05}"
            if key not in store.manifest:
                samples = read(voice, texts[at], pitch, speed)
                phones = aligner.align_text(samples, texts[at])
                if not phones:
                    continue
                store.add(_utterance(key, voice, texts[at]), samples, phones, LONGEST_S)
            total_s += store.seconds(key)


def _utterance(key: str, voice: str, text: str) -> Utterance:
    return Utterance(
        id=key,
        kind=SYNTHESISER,
        source=program_of(voice),
        licence=VOICES[voice],
        speaker=voice,
        language="en",
        text=text,
        aligned_by=BY_POCKETSPHINX,
    )
