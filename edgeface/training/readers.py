"""English sentences read by voices that don't say when which phone is: pocketsphinx finds out."""

import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from ..errors import UnavailableError
from ..features import SAMPLE_RATE_HZ
from .phones import Aligner
from .speech import sentences, store

# RHVoice's and SVOX Pico's; what else RHVoice has in English may not be changed, or speaks in flite too
VOICES = ("rhvoice-bdl", "rhvoice-clb", "rhvoice-alan", "pico-en-GB", "pico-en-US")


def read(voice, text, pitch, speed):
    """A voice reads `text`.

    :param pitch: factor on F0, as `speed` on the rate
    :return: float32 [N] at 16 kHz
    :raises UnavailableError: its program is not installed
    """
    program, _, name = voice.partition("-")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "said.wav"))
        try:
            if program == "rhvoice":
                subprocess.run(["RHVoice-test", "-p", name, "-t", "%.0f" % (100 * pitch), "-r", "%.0f" % (100 * speed),
                                "-o", path], input=text.encode(), stdout=subprocess.PIPE, check=True)
            else:
                marked = "<pitch level='%.0f'><speed level='%.0f'>%s</speed></pitch>" % (100 * pitch, 100 * speed, text)
                subprocess.run(["pico2wave", "-l", name, "-w", path, marked], check=True)
        except FileNotFoundError as error:
            raise UnavailableError("%s is not installed; apt install rhvoice-english libttspico-utils, of non-free"
                                   % error.filename)
        samples, rate_hz = soundfile.read(path, dtype="float32")
    return soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)


def synthesise(cache, minutes, seed=4):
    """Adds to cache/speech what every voice reads in its share of `minutes`; resumable."""
    folder = Path(cache) / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    rng, texts, aligner = np.random.default_rng(seed), sentences(), Aligner()
    order = rng.permutation(len(texts))
    for number, voice in enumerate(tqdm(VOICES, desc="readers", disable=None)):
        total_s = 0.0
        for at in order[number::len(VOICES)]:
            if total_s >= 60 * minutes / len(VOICES):
                break
            name = "reader-%s-%05d" % (voice, at)
            pitch, speed = np.exp(rng.uniform(-0.2, 0.2, 2))
            if not (folder / (name + ".json")).exists():
                samples = read(voice, texts[at], pitch, speed)
                phones = aligner.align(np.round(samples * 32767).astype(np.int16),
                                       re.findall(r"[a-z']+", texts[at].lower()))
                if not phones:
                    continue
                store(folder, name, samples, phones)
            total_s += soundfile.info(str(folder / (name + ".flac"))).duration
