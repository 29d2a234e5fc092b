"""English sentences read by voices that don't say when which phone is: pocketsphinx finds out."""

import re
import subprocess
import tempfile
from errno import ENOENT
from pathlib import Path

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

from .phones import Aligner
from .speech import sentences, store

# RHVoice's and SVOX Pico's; RHVoice's slt speaks in flite too
VOICES = ("rhvoice-bdl", "rhvoice-clb", "rhvoice-alan", "pico-en-GB", "pico-en-US")
JUDGES = (
    "rhvoice-evgeniy-eng",
    "rhvoice-lyubov",
)  # nothing may be made of them, so no training hears them
_JUDGED = 40  # sentences by each
_RHVOICE = Path("/usr/share/RHVoice/voices")


def read(voice, text, pitch, speed):
    """A voice reads `text`.

    :param pitch: factor on F0, as `speed` on the rate
    :return: float32 [N] at 16 kHz
    :raises UnavailableError: it, or its program, is not installed
    """
    program, _, name = voice.partition("-")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "said.wav"))
        try:
            if program == "rhvoice":
                if not (_RHVOICE / name).exists():  # it would read in another one
                    raise FileNotFoundError(ENOENT, "no voice", str(_RHVOICE / name))
                subprocess.run(
                    [
                        "RHVoice-test",
                        "-p",
                        name,
                        "-t",
                        f"{100 * pitch:.0f}",
                        "-r",
                        f"{100 * speed:.0f}",
                        "-o",
                        path,
                    ],
                    input=text.encode(),
                    stdout=subprocess.PIPE,
                    check=True,
                )
            else:
                marked = f"<pitch level='{100 * pitch:.0f}'><speed level='{100 * speed:.0f}'>{text}</speed></pitch>"
                subprocess.run(["pico2wave", "-l", name, "-w", path, marked], check=True)
        except FileNotFoundError as error:
            raise UnavailableError(
                f"{error.filename} is not installed; it is in Debian's rhvoice, rhvoice-*, or libttspico-utils of non-free"
            )
        samples, rate_hz = soundfile.read(path, dtype="float32")
    return soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)


def said(aligner, samples, text):
    """When which phone of `text` is in float32 [N]: list of (start_s, end_s, phone), None where that is unknown."""
    return aligner.align(
        np.round(samples * 32767).astype(np.int16), re.findall(r"[a-z']+", text.lower())
    )


def read_aloud():
    """What `JUDGES` read: voice to a list of (samples, list of (start_s, end_s, phone)), as `abroad.synthetic`."""
    found, texts, aligner = {}, sentences(), Aligner()
    order = np.random.default_rng(99).permutation(len(texts))
    for voice in JUDGES:
        by_it = found.setdefault(voice.partition("-")[2], [])
        for at in order:
            samples = read(voice, texts[at], 1.0, 1.0)
            phones = said(aligner, samples, texts[at])
            if phones:
                by_it.append((samples, phones))
            if len(by_it) == _JUDGED:
                break
    return found


def synthesise(cache, minutes, seed=4):
    """Adds to cache/speech what every voice reads in its share of `minutes`; resumable."""
    folder = Path(cache) / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    rng, texts, aligner = np.random.default_rng(seed), sentences(), Aligner()
    order = rng.permutation(len(texts))
    for number, voice in enumerate(tqdm(VOICES, desc="readers", disable=None)):
        total_s = 0.0
        for at in order[number :: len(VOICES)]:
            if total_s >= 60 * minutes / len(VOICES):
                break
            name = f"reader-{voice}-{at:05}"
            pitch, speed = np.exp(rng.uniform(-0.2, 0.2, 2))
            if not (folder / f"{name}.json").exists():
                samples = read(voice, texts[at], pitch, speed)
                phones = said(aligner, samples, texts[at])
                if not phones:
                    continue
                store(folder, name, samples, phones)
            total_s += soundfile.info(str(folder / f"{name}.flac")).duration
