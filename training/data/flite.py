"""Speech of flite, which prints when each phone ends."""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Tuple

import numpy as np
import soundfile
import soxr

from edgeface.core.rates import SAMPLE_RATE_HZ
from training.phonetics.phones import phone_name
from training.phonetics.timing import PhoneTimes

from .manifest import BY_SYNTHESISER, SYNTHESISER, Utterance
from .store import LONGEST_S, Store
from .texts import english_sentences

VOICES = ("awb", "rms", "slt", "kal16")
_STRETCH = (0.8, 1.25)  # factors on durations


def speak(voice: str, text: str, stretch: float) -> Tuple[np.ndarray, PhoneTimes]:
    """Sound float32 [N] at 16 kHz, and when which phone is in it.

    :param stretch: factor on durations
    :raises ValueError: a phone that no shape is known for
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}"]
        command += ["-t", text, "-psdur", "-o", str(path)]
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
        samples, rate_hz = soundfile.read(str(path), dtype="float32")
    phones = []
    start_s = 0.0
    for phone, end_s in re.findall(r"(\S+):([\d.]+)", printed):
        phones.append((start_s, float(end_s), phone_name(phone)))
        start_s = float(end_s)
    if rate_hz != SAMPLE_RATE_HZ:
        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
    return samples, phones


def synthesise(store: Store, minutes: float, seed: int = 1) -> None:
    """Adds sentences, by one voice after the other, until they last `minutes`; resumable."""
    rng = np.random.default_rng(seed)
    total_s = 0.0
    texts = english_sentences()
    for number, at in enumerate(rng.permutation(len(texts))):
        if total_s >= 60 * minutes:
            return
        voice = VOICES[number % len(VOICES)]
        stretch = float(rng.uniform(*_STRETCH))
        key = f"flite-{voice}-{number:05}"
        if key not in store.manifest:
            try:
                samples, phones = speak(voice, texts[at], stretch)
            except ValueError:
                continue
            utterance = Utterance(
                id=key,
                kind=SYNTHESISER,
                source="flite",
                licence="flite's own, free",
                speaker=voice,
                language="en",
                text=texts[at],
                aligned_by=BY_SYNTHESISER,
            )
            store.add(utterance, samples, phones, LONGEST_S)
        total_s += store.seconds(key)
