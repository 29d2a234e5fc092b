"""Speech of espeak-ng in eight languages, which says when it says which sound."""

import numpy as np

from training.phonetics.espeak import Speaker
from training.phonetics.ipa import phone_of_ipa

from .manifest import BY_SYNTHESISER, SYNTHESISER, Utterance
from .store import LONGEST_S, Store
from .texts import english_sentences

# neither French nor Russian, nor the talker by which bundles are judged
LANGUAGES = ("en-us", "de", "es", "it", "en", "pt", "nl", "pl")
TALKERS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5")


def synthesise(store: Store, minutes: float, seed: int = 2) -> None:
    """Adds what espeak-ng says in `LANGUAGES` until it lasts `minutes`; resumable.

    The sentences are English in every language: what counts is that the sounds of many languages
    occur, with their times.
    """
    rng = np.random.default_rng(seed)
    total_s = 0.0
    speaker = Speaker()
    texts = english_sentences()
    for number, at in enumerate(rng.permutation(len(texts))):
        if total_s >= 60 * minutes:
            return
        language = LANGUAGES[number % len(LANGUAGES)]
        talker = rng.choice(TALKERS)
        key = f"espeak-{language}+{talker}-{number:05}"
        if key not in store.manifest:
            samples, said = speaker.say(f"{language}+{talker}", texts[at])
            try:
                phones = [
                    (start, end, phone_of_ipa(phone)) for start, end, phone in said if end > start
                ]
            except ValueError:
                continue
            utterance = Utterance(
                id=key,
                kind=SYNTHESISER,
                source="espeak-ng",
                licence="GPL-3.0-or-later",
                speaker=str(talker),
                language=language,
                text=texts[at],
                aligned_by=BY_SYNTHESISER,
            )
            store.add(utterance, samples, phones, LONGEST_S)
        total_s += store.seconds(key)
