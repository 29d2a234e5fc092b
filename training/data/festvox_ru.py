"""Russian sentences that a man recorded for festival, with labels: Debian's festvox-ru."""

from pathlib import Path

from tqdm import tqdm

from edgeface.core.errors import UnavailableError
from edgeface.source.file import read_whole

from .festival import segments
from .manifest import BY_LABELS, PERSON, Utterance
from .recordings import PEOPLE_WEIGHT
from .store import LONGEST_S, Store

_VOICE = Path("/usr/share/festival/voices/russian/msu_ru_nsh_clunits")
# nearest shapes of lips and jaw; a doubled vowel is stressed, a doubled consonant soft
_VOWELS = {
    "a": "ah",
    "ay": "ax",
    "ae": "ih",
    "e": "ih",
    "i": "ih",
    "y": "ih",
    "u": "uh",
    "ur": "uh",
    "aa": "aa",
    "ee": "eh",
    "ii": "iy",
    "yy": "ih",
    "oo": "ao",
    "uu": "uw",
}
_CONSONANTS = {
    "c": "t",
    "ch": "ch",
    "h": "hh",
    "j": "y",
    "r": "hh",
    "sch": "sh",
    "sh": "sh",
    "zh": "zh",
}
_SAME = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "s", "t", "v", "z")


def phone_of(label: str) -> str:
    """The nearest of `phones.PHONES` to a label.

    :raises ValueError: none is near
    """
    if label == "pau":
        return "sil"
    single = label[0] if label[1:] == label[:1] else label
    phone = _VOWELS.get(label) or _CONSONANTS.get(single) or (single if single in _SAME else None)
    if phone is None:
        raise ValueError(f"no phone: {label}")
    return phone


def collect(store: Store) -> None:
    """Adds the sentences; resumable.

    :raises UnavailableError: the voice is not installed
    """
    sentences = sorted(_VOICE.glob("lab/*.lab"))
    if not sentences:
        raise UnavailableError("no sentences of festvox-ru; apt install festvox-ru")
    for label in tqdm(sentences, desc="festvox-ru", disable=None):
        utterance = Utterance(
            id=f"festvox-ru-{label.stem}",
            kind=PERSON,
            source="festvox-ru",
            licence="BSD-like (Nickolay V. Shmyrev)",
            speaker="msu_ru_nsh",
            language="ru",
            aligned_by=BY_LABELS,
            weight=PEOPLE_WEIGHT,
        )
        if utterance.id not in store.manifest:
            samples = read_whole(str(_VOICE / "wav" / f"{label.stem}.wav"))
            store.add(utterance, samples, segments(label, phone_of), LONGEST_S)
