"""The manifest: one record for every utterance and every other sound of the training, in one file.

A line of `manifest.jsonl` is one `Utterance`; of several with one id the last counts, so that a
file that grows is always valid, also after a run that was cut off. Stages that run side by side
append to it: each line is one write at the end of the file, and what follows the last line break is
a line that another stage is writing.
"""

import dataclasses
import json
import zlib
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from edgeface.core.errors import DataError

FILE = "manifest.jsonl"
TRAIN = "train"
TEST = "test"
# kinds
PERSON = "person"  # recorded speech
SYNTHESISER = "synthesiser"  # speech of a program
MUSIC = "music"
EFFECT = "effect"  # a single sound that is no speech
SPEECH = (PERSON, SYNTHESISER)
# how the times of the phones were found
BY_SYNTHESISER = "synthesiser"  # the program says
BY_LABELS = "labels"  # they come with the recording
BY_POCKETSPHINX = "pocketsphinx"
BY_ACOUSTIC_MODEL = "acoustic model"  # `phonetics.acoustic_model`, fitted on the others
_VALUES = {
    "kind": (*SPEECH, MUSIC, EFFECT),
    "split": (TRAIN, TEST),
    "aligned_by": ("", BY_SYNTHESISER, BY_LABELS, BY_POCKETSPHINX, BY_ACOUSTIC_MODEL),
}
_EVERY = 10  # of a corpus' recordings one is kept for the test, by its name


def split_by_name(name: str, every: int = _EVERY) -> str:
    """`TEST` for one name in `every`, `TRAIN` for the others; the same on every machine."""
    return TEST if zlib.crc32(name.encode()) % every == 0 else TRAIN


@dataclasses.dataclass(frozen=True)
class Utterance:
    """What somebody says, or another sound.

    id: unique, names the files in the cache; nothing is read from it
    kind: `PERSON`, `SYNTHESISER`, `MUSIC` or `EFFECT`
    source: package or corpus
    licence: of the recording or of the voice, SPDX where there is one
    split: `TRAIN` or `TEST`, which no training hears
    speaker: voice or person
    language: as espeak-ng names it
    text: what is said
    aligned_by: how the times of its phones were found, empty where there are none
    weight: how much more often a second of it is drawn than one of a program
    seconds: duration
    """

    id: str
    kind: str
    source: str
    licence: str
    split: str = TRAIN
    speaker: str = ""
    language: str = ""
    text: str = ""
    aligned_by: str = ""
    weight: float = 1.0
    seconds: float = 0.0

    def __post_init__(self):
        for name, values in _VALUES.items():
            if getattr(self, name) not in values:
                raise DataError(
                    f"{self.id}: {name} is {getattr(self, name)!r}, must be one of {values}"
                )


class Manifest:
    """The records of a cache.

    :param path: of the file; it need not exist
    :raises DataError: a line is no `Utterance`
    """

    def __init__(self, path: Path):
        self._path = path
        self._found: Dict[str, Utterance] = {}
        if path.exists():
            for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
                utterance = _parsed(line, f"{path}, line {number}")
                self._found[utterance.id] = utterance

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __getitem__(self, key: str) -> Utterance:
        return self._found[key]

    def __iter__(self) -> Iterator[Utterance]:
        """All of them, in the order of their ids."""
        return iter([self._found[key] for key in sorted(self._found)])

    def add(self, utterance: Utterance) -> None:
        """Appends a record, in place of one with the same id."""
        self._found[utterance.id] = utterance
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(utterance), ensure_ascii=False) + "\n")

    def find(self, kinds: Sequence[str] = SPEECH, split: Optional[str] = None) -> List[Utterance]:
        """Records of some kinds, of one split or of both, in the order of their ids."""
        return [one for one in self if one.kind in kinds and split in (None, one.split)]


def _parsed(line: bytes, place: str) -> Utterance:
    try:
        return Utterance(**json.loads(line))
    except (TypeError, ValueError, DataError) as error:
        raise DataError(f"{place}: no record of the manifest: {error}") from None
