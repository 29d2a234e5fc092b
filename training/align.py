"""Phones of the human recordings, by an acoustic model that is fitted on speech whose phones are known.

Fitted on synthetic voices, English prompts, labelled sentences and the talker; then once more with what it
has aligned itself, so that it learns the recorded people and their rooms. `animate` and
`evaluate` use what it leaves in the cache.
"""

import json
from pathlib import Path

import numpy as np
import soundfile
import torch
from tqdm import tqdm

from edgeface.core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ

from . import drascula
from .acoustic import PhoneNet, align, fit, labels_of, likelihoods, spelling
from .corpus import is_held_out
from .fbank import fbank_of
from .languages import Speaker
from .phones import SILENCES
from .recordings import COLLECTIONS, HELD_OUT_LANGUAGES, OF_THE_BUNDLED_VOICE, recordings
from .speech import FOREIGN, PEOPLE

_SHORTEST_S, _LONGEST_S = 0.4, 20.0
_STEPS, _MORE_STEPS = 1500, 600
_WORST = -2.7  # mean log likelihood under the best possible; below, somebody says something else
LEFT_OVER = 0.05  # share of the energy in no phone; above, a sound was taken for silence
_OF_ALIGNERS = (
    "human-",
    "actor-",
    FOREIGN,
)  # how names in cache/speech begin whose phones a model of here found
_MODEL = "acoustic.pt"  # in the cache
HUMAN = 3.0  # how much oftener human speech is drawn than synthetic


def known_speech(paths):
    """What `fit` takes, of speech in a cache whose phones are in files at `paths`."""
    found = []
    for path in tqdm(sorted(paths), desc="reading", disable=None):
        fbank = fbank_of(soundfile.read(str(path.with_suffix(".flac")), dtype="float32")[0])
        found.append(
            (
                fbank.astype(np.float16),
                labels_of(json.loads(path.read_text()), len(fbank)),
                HUMAN if path.name.startswith(PEOPLE) else 1.0,
            )
        )
    return found


def talker_speech(pairs):
    """What `fit` takes, of the talker's clips and their phones."""
    fbanks = [fbank_of(clip.samples).astype(np.float16) for clip, _ in pairs]
    return [
        (fbank, labels_of(phones, len(fbank)), 1.0) for fbank, (_, phones) in zip(fbanks, pairs)
    ]


def spelled(speaker, voice, text):
    """What a text must say, read by a voice of espeak-ng, of `acoustic.spelling`; None where a sound is unknown."""
    try:
        return spelling(speaker.say(voice, text)[1])
    except ValueError:
        return None


def respelled(phones):
    """What somebody says of whom another aligner knows when, of `acoustic.spelling`.

    :param phones: list of (start_s, end_s, phone)
    """
    found = [("sil", True)]
    for _, _, phone in phones:
        if phone not in SILENCES:
            found.append((phone, False))
        elif found[-1][0] != "sil":
            found.append(("sil", True))
    return found if found[-1][0] == "sil" else found + [("sil", True)]


def left_over(samples, phones):
    """Share (0..1) of the energy of a sound that lies in no phone, nor 30 ms before or 60 ms after one."""
    energy, inside = samples.astype(np.float64) ** 2, np.zeros(len(samples), bool)
    for start_s, end_s, phone in phones:
        if phone not in SILENCES:
            inside[
                max(0, int((start_s - 0.03) * SAMPLE_RATE_HZ)) : int(
                    (end_s + 0.06) * SAMPLE_RATE_HZ
                )
            ] = True
    return float(energy[~inside].sum() / (energy.sum() + 1e-12))


def agreement(model, pairs):
    """Shares (0..1) of phones that begin within 20 and within 40 ms of where they are known to.

    :param pairs: list of (clip, phones as (start_s, end_s, phone))
    """
    off_s = []
    for clip, phones in pairs:
        spoken = [(start, phone) for start, _, phone in phones if phone not in SILENCES]
        found = [
            start
            for start, _, phone in align(
                likelihoods(model, fbank_of(clip.samples)), respelled(phones)
            )[0]
            if phone != "sil"
        ]
        off_s += [abs(start - known) for start, (known, _) in zip(found, spoken)]
    return tuple(float(np.mean(np.array(off_s) <= limit_s)) for limit_s in (0.02, 0.04))


def acoustic_model(cache):
    """The `PhoneNet` that `align_recordings` left in a cache, ready for `likelihoods`."""
    model = PhoneNet()
    model.load_state_dict(torch.load(str(Path(cache, _MODEL)), weights_only=True))
    return model.eval()


def align_recordings(data, cache, talker, others):
    """Writes cache/speech/human-*.{flac,json}, and cache/judged for what no training may hear.

    A cache in which it once came to its end is left as it is.

    :param data: folder that holds kerstin
    :param talker: list of (clip, phones), to fit on
    :param others: the same, for the `agreement` that it prints
    """
    done = Path(cache, _MODEL)
    if done.exists():
        return
    speaker, wanted = Speaker(), []
    for recording in tqdm(recordings(data) + drascula.spoken(), desc="reading", disable=None):
        samples, phones_wanted = (
            recording.samples(),
            spelled(speaker, recording.voice, recording.text),
        )
        if (
            phones_wanted
            and len(phones_wanted) > 3
            and _SHORTEST_S < len(samples) / SAMPLE_RATE_HZ < _LONGEST_S
        ):
            wanted.append((recording, fbank_of(samples).astype(np.float16), phones_wanted))
    # what was aligned before, here or with a model of here, teaches nothing
    known = [
        path
        for path in Path(cache, "speech").glob("*.json")
        if not path.name.startswith(_OF_ALIGNERS)
    ]
    known = known_speech(known) + talker_speech(talker)
    model = fit(known, _STEPS)
    found = _align_all(model, wanted, "aligning")
    known += [
        (fbank, labels_of(spoken, len(fbank)), HUMAN)
        for (recording, fbank, _), spoken in zip(wanted, found)
        if spoken and not _judged(recording)
    ]
    model = fit(known, _MORE_STEPS, seed=2, model=model)
    print(
        "of the talker's phones {:.0f} % begin within 20 ms of where pocketsphinx finds them, {:.0f} % within 40 ms".format(
            *tuple(100 * share for share in agreement(model, others))
        )
    )
    folders = [Path(cache, "speech"), Path(cache, "judged")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    kept_s = {}
    for (recording, _, _), spoken in zip(wanted, _align_all(model, wanted, "aligning again")):
        samples = recording.samples()
        samples = samples[: len(samples) // HOP_SAMPLES * HOP_SAMPLES]
        if spoken is None or left_over(samples, spoken) > LEFT_OVER:
            continue
        path = folders[_judged(recording)] / f"{recording.name}.flac"
        soundfile.write(str(path), samples, SAMPLE_RATE_HZ)
        path.with_suffix(".json").write_text(json.dumps(spoken))
        total = kept_s.setdefault(recording.language, [0.0, 0.0])
        total[_judged(recording)] += len(samples) / SAMPLE_RATE_HZ
    for language, (heard_s, judged_s) in kept_s.items():
        print(f"{language}: {heard_s / 60:.1f} minutes to hear, {judged_s / 60:.1f} to judge by")
    torch.save(model.state_dict(), str(done))


def _judged(recording):
    if recording.language in COLLECTIONS:
        return False
    return (
        recording.language in HELD_OUT_LANGUAGES
        or is_held_out(recording.name)
        or recording.name.endswith(OF_THE_BUNDLED_VOICE)
    )


def _align_all(model, wanted, title):
    return [
        aligned(model, fbank, phones) for _, fbank, phones in tqdm(wanted, desc=title, disable=None)
    ]


def aligned(model, fbank, wanted):
    """When which phone is in Fbank [T, 80]: list of (start_s, end_s, phone), None where something else is said.

    :param wanted: of `acoustic.spelling`
    """
    found = align(likelihoods(model, fbank), wanted)
    return found[0] if found and found[1] > _WORST else None
