"""Phones of the recordings, by an acoustic model that is fitted on speech whose phones are known.

Fitted on synthetic voices, English prompts, labelled sentences and the talker; then once more with
what it has aligned itself, so that it learns the recorded people and their rooms.
"""

import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import numpy as np
from tqdm import tqdm

from edgeface.core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ
from training.phonetics import acoustic_model
from training.phonetics.acoustic_model import Labelled, PhoneNet, fit, labels_of
from training.phonetics.alignment import agreement, aligned, explains, spelled
from training.phonetics.english_aligner import EnglishAligner
from training.phonetics.espeak import Speaker
from training.phonetics.timing import PhoneTimes
from training.phonetics.viterbi import Spelling
from training.signal.fbank import fbank_of

from .asterisk import prompts
from .corpora import recordings
from .manifest import BY_ACOUSTIC_MODEL, BY_POCKETSPHINX, PERSON, TEST, TRAIN
from .recordings import Recording
from .store import LONGEST_S, Store
from .talker import TalkerPhones

MODEL = "acoustic.pt"  # in the cache
_SHORTEST_S = 0.4
_LONGEST_S = 20.0
_FEWEST_PHONES = 4
_STEPS = 1500
_MORE_STEPS = 600
_PEOPLE = 3.0  # how much more often recorded speech is drawn than synthetic


class _Wanted(NamedTuple):
    recording: Recording
    fbank: np.ndarray  # float16 [T, 80]
    spelling: Spelling


def align_prompts(store: Store) -> None:
    """Adds the English prompts that pocketsphinx can align; ffmpeg decodes them."""
    aligner = EnglishAligner()
    for recording in prompts("en"):
        if recording.id in store.manifest or re.search(r"\d", recording.text):
            continue
        samples = recording.samples()
        if len(samples) > _LONGEST_S * SAMPLE_RATE_HZ:
            continue
        phones = aligner.align_text(samples, recording.text)
        if phones:
            store.add(recording.utterance(BY_POCKETSPHINX), samples, phones, LONGEST_S)


def align_recordings(store: Store, data: Path, talker: TalkerPhones) -> None:
    """Adds the recordings that can be aligned, and leaves the acoustic model in the cache.

    A cache in which it once came to its end is left as it is.

    :param data: folder that holds kerstin
    :param talker: whose training clips are fitted on; on the others the agreement is printed
    """
    done = store.folder / MODEL
    if done.exists():
        return
    wanted = _spell(recordings(data))
    known = _known_speech(store) + _talker_speech(talker)
    model = fit(known, _STEPS)
    for one, phones in zip(wanted, _align_all(model, wanted, "aligning")):
        if phones and one.recording.split == TRAIN:
            known.append((one.fbank, labels_of(phones, len(one.fbank)), _PEOPLE))
    model = fit(known, _MORE_STEPS, seed=2, model=model)
    pairs = [(clip.samples, phones) for clip, phones in talker.pairs(TEST)]
    within_20, within_40 = (100 * share for share in agreement(model, pairs))
    print(
        f"of the talker's phones {within_20:.0f} % begin within 20 ms of where pocketsphinx finds "
        f"them, {within_40:.0f} % within 40 ms"
    )
    _keep(store, wanted, _align_all(model, wanted, "aligning again"))
    acoustic_model.save(model, done)


def _spell(found: List[Recording]) -> List[_Wanted]:
    """What the recordings must say, of those that are neither too short nor too long."""
    speaker = Speaker()
    wanted = []
    for recording in tqdm(found, desc="reading", disable=None):
        samples = recording.samples()
        spelling = spelled(speaker, recording.voice, recording.text)
        fits = _SHORTEST_S < len(samples) / SAMPLE_RATE_HZ < _LONGEST_S
        if fits and spelling and len(spelling) >= _FEWEST_PHONES:
            wanted.append(_Wanted(recording, fbank_of(samples).astype(np.float16), spelling))
    return wanted


def _known_speech(store: Store) -> List[Labelled]:
    """The cache's speech but for what an acoustic model aligned before, which teaches nothing."""
    found = []
    known = [one for one in store.find(split=TRAIN) if one.aligned_by != BY_ACOUSTIC_MODEL]
    for utterance in tqdm(known, desc="reading", disable=None):
        fbank = fbank_of(store.samples(utterance))
        labels = labels_of(store.phones(utterance), len(fbank))
        weight = _PEOPLE if utterance.kind == PERSON else 1.0
        found.append((fbank.astype(np.float16), labels, weight))
    return found


def _talker_speech(talker: TalkerPhones) -> List[Labelled]:
    found = []
    for clip, phones in talker.pairs(TRAIN):
        fbank = fbank_of(clip.samples).astype(np.float16)
        found.append((fbank, labels_of(phones, len(fbank)), 1.0))
    return found


def _align_all(model: PhoneNet, wanted: List[_Wanted], title: str) -> List[Optional[PhoneTimes]]:
    progress = tqdm(wanted, desc=title, disable=None)
    return [aligned(model, one.fbank, one.spelling) for one in progress]


def _keep(store: Store, wanted: List[_Wanted], found: List[Optional[PhoneTimes]]) -> None:
    """Adds what is explained by its phones, and prints how much that is in each language."""
    minutes: Dict[str, Dict[str, float]] = {}
    for one, phones in zip(wanted, found):
        samples = one.recording.samples()
        samples = samples[: len(samples) // HOP_SAMPLES * HOP_SAMPLES]
        if not explains(phones, samples):
            continue
        kept = store.add(one.recording.utterance(), samples, phones)
        total = minutes.setdefault(kept.language, {TRAIN: 0.0, TEST: 0.0})
        total[kept.split] += kept.seconds / 60
    for language, total in minutes.items():
        print(f"{language}: {total[TRAIN]:.1f} minutes to train on, {total[TEST]:.1f} to judge by")
