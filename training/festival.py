"""Speech of festival's voices, whose diphones people recorded, with the time of every phone."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

from .phones import SILENCES, phone_name
from .speech import sentences, store

# Debian's; the Russian one's own recordings are in `labelled`; neither kal nor slt, whom flite speaks for
VOICES = (
    "ked_diphone",
    "lp_diphone",
    "pc_diphone",
    "czech_dita",
    "czech_krb",
    "czech_machac",
    "czech_ph",
    "suo_fi_lj_diphone",
    "hy_fi_mv_diphone",
    "upc_ca_ona_hts",
)
# nearest shapes of lips and jaw to what the voices call their phones, without stress and length
_VOWELS = {
    "a": "aa",
    "e": "eh",
    "E": "eh",
    "i": "iy",
    "o": "ao",
    "O": "ao",
    "u": "uw",
    "y": "uw",
    "@": "ae",
    "7": "uh",
    "&": "ax",
    "ax": "ax",
}
_CONSONANTS = {
    "c": "t",
    "ts": "t",
    "dz": "d",
    "c~": "ch",
    "tS": "ch",
    "dz~": "jh",
    "dZ": "jh",
    "ch": "hh",
    "h": "hh",
    "r": "hh",
    "rr": "hh",
    "r~": "zh",
    "r~*": "sh",
    "s~": "sh",
    "S": "sh",
    "z~": "zh",
    "Z": "zh",
    "t~": "t",
    "d~": "d",
    "n~": "n",
    "J": "n",
    "n*": "ng",
    "N": "ng",
    "L": "l",
    "j": "y",
    "T": "th",
    "D": "dh",
}
_SAME = ("p", "b", "m", "f", "v", "t", "d", "n", "s", "z", "l", "k", "g", "w", "ng")
_PAUSES = ("#", "##", "_")
_AT_ONCE = 60  # sentences to one process, which takes a second to load a voice


def phone_of(voice, name):
    """The nearest of `phones.PHONES` to a phone of a voice; ValueError where none is near."""
    if voice == "ked_diphone":
        return phone_name(name)
    if name in _PAUSES or name in SILENCES:
        return "sil"
    name = name.rstrip("12:")
    phone = name if name in _SAME else _VOWELS.get(name) or _CONSONANTS.get(name)
    if phone is None:
        raise ValueError(f"no phone: {name}")
    return phone


def speak(voice, texts):
    """One process of festival says `texts`, which have no quotation marks.

    The letters of English make words in the languages of the voices too, if none that mean anything.

    :return: list of (float32 [N] at 16 kHz, list of (start_s, end_s, phone)), None for what it fails to say
    """
    with tempfile.TemporaryDirectory() as folder:
        paths, lines = (
            [Path(folder, str(number)) for number in range(len(texts))],
            [f"(voice_{voice})"],
        )
        for path, text in zip(paths, texts):
            # a sentence that fails must not end those behind it
            lines.append(
                f'(unwind-protect (let ((said (SynthText "{text}"))) (utt.save.segs said "{path}.lab") (utt.save.wave said "{path}.wav")))'
            )
        script = Path(folder, "say.scm")
        script.write_text("\n".join(lines))
        subprocess.run(
            ["festival", "-b", str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        return [_read(voice, path) for path in paths]


def segments(path, phone_of):
    """What a file of labels says, each of which gives an end and a name: list of (start_s, end_s, phone).

    :param phone_of: name to one of `phones.PHONES`
    """
    lines = [line.split() for line in path.read_text().splitlines()]
    ends = [(float(line[0]), phone_of(line[2])) for line in lines if len(line) == 3]
    starts = [0.0] + [end for end, _ in ends[:-1]]
    return [(start, end, phone) for start, (end, phone) in zip(starts, ends)]


def _read(voice, path):
    try:
        samples, rate_hz = soundfile.read(f"{path!s}.wav", dtype="float32")
        phones = segments(Path(f"{path!s}.lab"), lambda name: phone_of(voice, name))
    except (soundfile.LibsndfileError, OSError, ValueError):
        return None
    return soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.float32), phones


def synthesise(cache, minutes, seed=3):
    """Adds to cache/speech what every voice says in its share of `minutes`; resumable.

    :raises UnavailableError: a voice is not installed
    """
    folder = Path(cache) / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    texts = sentences()
    order = np.random.default_rng(seed).permutation(len(texts))
    for number, voice in enumerate(tqdm(VOICES, desc="festival", disable=None)):
        total_s = 0.0
        own = order[number :: len(VOICES)]
        for first in range(0, len(own), _AT_ONCE):
            names = [f"festival-{voice}-{at:05}" for at in own[first : first + _AT_ONCE]]
            if total_s >= 60 * minutes / len(VOICES):
                break
            if not all((folder / f"{name}.json").exists() for name in names):
                spoken = speak(voice, [texts[at] for at in own[first : first + _AT_ONCE]])
                if not any(spoken):
                    raise UnavailableError(f"festival has no voice {voice}; make .venv/train")
                for name, said in zip(names, spoken):
                    if said:
                        store(folder, name, *said)
            total_s += sum(
                soundfile.info(str(path)).duration
                for path in (folder / f"{name}.flac" for name in names)
                if path.exists()
            )
