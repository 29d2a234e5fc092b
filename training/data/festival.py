"""Speech of festival's voices, whose diphones people recorded, with the time of every phone."""

import subprocess
import tempfile
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Tuple

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ
from training.phonetics.phones import SILENCES, phone_name
from training.phonetics.timing import PhoneTimes

from .manifest import BY_SYNTHESISER, SYNTHESISER, Utterance
from .store import LONGEST_S, Store
from .texts import english_sentences


class _Origin(NamedTuple):
    package: str
    language: str
    licence: str


# Debian's; neither kal nor slt, whom flite speaks for; the Russian one's recordings: `festvox_ru`
VOICES = {
    "ked_diphone": _Origin("festvox-kdlpc16k", "en", "free (University of Edinburgh)"),
    "lp_diphone": _Origin("festvox-italp16k", "it", "GPL-2.0-or-later"),
    "pc_diphone": _Origin("festvox-itapc16k", "it", "GPL-2.0-or-later"),
    "czech_dita": _Origin("festvox-czech-dita", "cs", "GPL"),
    "czech_krb": _Origin("festvox-czech-krb", "cs", "GPL"),
    "czech_machac": _Origin("festvox-czech-machac", "cs", "GPL"),
    "czech_ph": _Origin("festvox-czech-ph", "cs", "GPL"),
    "suo_fi_lj_diphone": _Origin("festvox-suopuhe-lj", "fi", "LGPL"),
    "hy_fi_mv_diphone": _Origin("festvox-suopuhe-mv", "fi", "LGPL"),
    "upc_ca_ona_hts": _Origin("festvox-ca-ona-hts", "ca", "LGPL"),
}
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
# a sentence that fails must not end those after it
_SAY = (
    "(unwind-protect"
    ' (let ((said (SynthText "%s")))'
    ' (utt.save.segs said "%s.lab") (utt.save.wave said "%s.wav")))'
)


def phone_of(voice: str, name: str) -> str:
    """The nearest of `phones.PHONES` to a phone of a voice.

    :raises ValueError: none is near
    """
    if voice == "ked_diphone":
        return phone_name(name)
    if name in _PAUSES or name in SILENCES:
        return "sil"
    name = name.rstrip("12:")
    phone = name if name in _SAME else _VOWELS.get(name) or _CONSONANTS.get(name)
    if phone is None:
        raise ValueError(f"no phone: {name}")
    return phone


def speak(voice: str, texts: List[str]) -> List[Optional[Tuple[np.ndarray, PhoneTimes]]]:
    """One process of festival says `texts`, which have no quotation marks.

    The letters of English make words in the languages of the voices too, if none that mean
    anything.

    :return: of each, sound float32 [N] at 16 kHz and when which phone is in it; None where it
        cannot be said
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, str(number)) for number in range(len(texts))]
        lines = [f"(voice_{voice})"]
        lines += [_SAY % (text, path, path) for path, text in zip(paths, texts)]
        script = Path(folder, "say.scm")
        script.write_text("\n".join(lines))
        command = ["festival", "-b", str(script)]
        subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return [_read(voice, path) for path in paths]


def segments(path: Path, phone_of: Callable[[str], str]) -> PhoneTimes:
    """What a file of labels says, each of which gives an end and a name.

    :param phone_of: name to one of `phones.PHONES`
    """
    lines = [line.split() for line in path.read_text().splitlines()]
    ends = [(float(line[0]), phone_of(line[2])) for line in lines if len(line) == 3]
    starts = [0.0] + [end for end, _ in ends[:-1]]
    return [(start, end, phone) for start, (end, phone) in zip(starts, ends)]


def _read(voice: str, path: Path) -> Optional[Tuple[np.ndarray, PhoneTimes]]:
    try:
        samples, rate_hz = soundfile.read(f"{path}.wav", dtype="float32")
        phones = segments(Path(f"{path}.lab"), lambda name: phone_of(voice, name))
    except (soundfile.LibsndfileError, OSError, ValueError):
        return None
    return soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.float32), phones


def synthesise(store: Store, minutes: float, seed: int = 3) -> None:
    """Adds what every voice says in its share of `minutes`; resumable.

    :raises UnavailableError: a voice is not installed
    """
    texts = english_sentences()
    order = np.random.default_rng(seed).permutation(len(texts))
    for number, voice in enumerate(tqdm(VOICES, desc="festival", disable=None)):
        total_s = 0.0
        own = order[number :: len(VOICES)]
        for first in range(0, len(own), _AT_ONCE):
            if total_s >= 60 * minutes / len(VOICES):
                break
            some = [int(at) for at in own[first : first + _AT_ONCE]]
            total_s += _add(store, voice, {at: texts[at] for at in some})


def _add(store: Store, voice: str, texts: dict) -> float:
    """Adds what a voice says of some texts by their numbers; seconds of all of them."""
    keys = {at: f"festival-{voice}-{at:05}" for at in texts}
    if not all(key in store.manifest for key in keys.values()):
        spoken = speak(voice, list(texts.values()))
        if not any(spoken):
            raise UnavailableError(
                f"festival has no voice {voice}; apt install {VOICES[voice].package}"
            )
        for (at, key), said in zip(keys.items(), spoken):
            if said:
                store.add(_utterance(key, voice, texts[at]), *said, LONGEST_S)
    return sum(store.seconds(key) for key in keys.values())


def _utterance(key: str, voice: str, text: str) -> Utterance:
    origin = VOICES[voice]
    return Utterance(
        id=key,
        kind=SYNTHESISER,
        source=origin.package,
        licence=origin.licence,
        speaker=voice,
        language=origin.language,
        text=text,
        aligned_by=BY_SYNTHESISER,
    )
