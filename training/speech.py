"""Speech without video whose phones are known: synthetic voices and English prompts.

flite speaks sentences of Debian's `fortunes` and prints when each phone ends;
the prompts of Debian's `asterisk-core-sounds-en-g722` come with transcripts,
which pocketsphinx aligns; espeak-ng says when it says which sound.
"""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr

from edgeface.core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ

from .languages import Speaker
from .phones import Aligner, phone_name, phone_of_ipa
from .recordings import prompts

# neither the talker that `training.abroad` judges by, nor French and Russian
ESPEAK_VOICES = ("en-us", "de", "es", "it", "en", "pt", "nl", "pl")
ESPEAK_TALKERS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5")
FLITE_VOICES = ("awb", "rms", "slt", "kal16")
PEOPLE = (
    "human-",
    "prompt-",
    "labelled-",
    "actor-",
)  # how names in cache/speech begin that no program speaks
FOREIGN = "foreign-"  # and of what `foreign` reads
_FORTUNES = "/usr/share/games/fortunes"
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
_LONGEST_S = 8.0


def sentences():
    """English sentences of 4 to 16 words, in a fixed order."""
    found = []
    for topic in _TOPICS:
        text = Path(_FORTUNES, topic).read_text("utf-8", "replace")
        for sentence in re.split(r"(?<=[.!?])\s+|%", text.replace("\n", " ")):
            words = re.findall(r"[A-Za-z']+", sentence)
            if 4 <= len(words) <= 16 and re.fullmatch(r"[\sA-Za-z',;.!?-]+", sentence or "0"):
                found.append(" ".join(sentence.split()))
    return sorted(set(found))


def speak(voice, text, stretch, path):
    """Flite says `text` into a wav file.

    :param stretch: factor on durations
    :return: list of (start_s, end_s, phone)
    """
    out = subprocess.run(
        [
            "flite",
            "-voice",
            voice,
            "--setf",
            f"duration_stretch={stretch:.2f}",
            "-t",
            text,
            "-psdur",
            "-o",
            str(path),
        ],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    phones, start = [], 0.0
    for phone, end in re.findall(r"(\S+):([\d.]+)", out):
        phones.append((start, float(end), phone_name(phone)))
        start = float(end)
    return phones


def store(folder, name, samples, phones):
    """Keeps what somebody says, cut to 8 s, and when which phone: list of (start_s, end_s, phone)."""
    frames = min(len(samples), int(_LONGEST_S * SAMPLE_RATE_HZ)) // HOP_SAMPLES
    soundfile.write(str(folder / f"{name}.flac"), samples[: frames * HOP_SAMPLES], SAMPLE_RATE_HZ)
    (folder / f"{name}.json").write_text(json.dumps(phones))


def synthesise(cache, minutes, seed=1):
    """Fills cache/speech with synthetic sentences until they last `minutes`; resumable."""
    folder = Path(cache) / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    rng, total_s = np.random.default_rng(seed), 0.0
    texts = sentences()
    for number, at in enumerate(rng.permutation(len(texts))):
        if total_s >= 60 * minutes:
            return
        voice, stretch = FLITE_VOICES[number % len(FLITE_VOICES)], float(rng.uniform(0.8, 1.25))
        name = f"flite-{voice}-{number:05}"
        if not (folder / f"{name}.json").exists():
            wav = folder / "speaking.wav"
            try:
                phones = speak(voice, texts[at], stretch, wav)
            except ValueError:  # a phone that we have no shape for
                continue
            samples, rate = soundfile.read(str(wav), dtype="float32")
            store(
                folder,
                name,
                samples if rate == SAMPLE_RATE_HZ else soxr.resample(samples, rate, SAMPLE_RATE_HZ),
                phones,
            )
            wav.unlink()
        total_s += min(_LONGEST_S, soundfile.info(str(folder / f"{name}.flac")).duration)


def speak_widely(cache, minutes, seed=2):
    """Adds what espeak-ng says in `ESPEAK_VOICES` until it lasts `minutes`; resumable.

    The sentences are English in every voice: what counts is that the sounds of many languages occur, with their times.
    """
    folder = Path(cache) / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    rng, total_s, speaker, texts = np.random.default_rng(seed), 0.0, Speaker(), sentences()
    for number, at in enumerate(rng.permutation(len(texts))):
        if total_s >= 60 * minutes:
            return
        voice = f"{ESPEAK_VOICES[number % len(ESPEAK_VOICES)]}+{rng.choice(ESPEAK_TALKERS)}"
        name = f"espeak-{voice}-{number:05}"
        if not (folder / f"{name}.json").exists():
            samples, said = speaker.say(voice, texts[at])
            try:
                phones = [
                    (start, end, phone_of_ipa(phone)) for start, end, phone in said if end > start
                ]
            except ValueError:
                continue
            store(folder, name, samples, phones)
        total_s += min(_LONGEST_S, soundfile.info(str(folder / f"{name}.flac")).duration)


def align_prompts(cache):
    """Adds the English prompts that can be aligned to cache/speech; needs ffmpeg to decode them."""
    folder, aligner = Path(cache) / "speech", Aligner()
    folder.mkdir(parents=True, exist_ok=True)
    for recording in prompts("en"):
        key = recording.name.replace("human-en-", "prompt-")
        if (folder / f"{key}.json").exists() or re.search(r"\d", recording.text):
            continue
        samples = recording.samples()
        if len(samples) > 20 * SAMPLE_RATE_HZ:
            continue
        phones = aligner.align(
            np.round(samples * 32768).astype(np.int16),
            re.findall(r"[a-z']+", recording.text.lower()),
        )
        if phones:
            store(folder, key, samples, phones)
