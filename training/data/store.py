"""The cache: sounds, the times of their phones, and the manifest that describes them."""

import dataclasses
import json
from pathlib import Path
from typing import List, Optional, Sequence, Union

import numpy as np
import soundfile

from edgeface.core.errors import MissingInputError
from edgeface.core.files import replacing
from edgeface.core.rates import HOP_SAMPLES, SAMPLE_RATE_HZ
from training.phonetics.timing import PhoneTimes

from .manifest import FILE, SPEECH, Manifest, Utterance

LONGEST_S = 8.0  # of what is kept of an utterance that may be cut


class Store:
    """A folder with `manifest.jsonl` and, for each record, `sounds/ID.flac` and `phones/ID.json`.

    A record is written after its files, so that a run that is cut off leaves none without them.

    :param folder: made where it is missing
    """

    def __init__(self, folder: Union[str, Path]):
        self.folder = Path(folder)
        for name in ("sounds", "phones"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.manifest = Manifest(self.folder / FILE)

    def sound_file(self, utterance: Utterance) -> Path:
        """Path of its sound, FLAC at 16 kHz."""
        return self.folder / "sounds" / f"{utterance.id}.flac"

    def samples(self, utterance: Utterance) -> np.ndarray:
        """Its sound, float32 [N] at 16 kHz."""
        return soundfile.read(str(self.sound_file(utterance)), dtype="float32")[0]

    def phones(self, utterance: Utterance) -> PhoneTimes:
        """When which phone is in it."""
        return [tuple(phone) for phone in json.loads(self._phones_file(utterance).read_text())]

    def seconds(self, key: str) -> float:
        """Duration of a record, 0 where there is none."""
        return self.manifest[key].seconds if key in self.manifest else 0.0

    def find(self, kinds: Sequence[str] = SPEECH, split: Optional[str] = None) -> List[Utterance]:
        """Records of some kinds, at least one.

        :raises MissingInputError: there is none
        """
        found = self.manifest.find(kinds, split)
        if not found:
            wanted = " or ".join(kinds)
            raise MissingInputError(
                f"{self.folder}: no {wanted} in it; python -m training --list names what makes it"
            )
        return found

    def add(
        self,
        utterance: Utterance,
        samples: np.ndarray,
        phones: Optional[PhoneTimes] = None,
        longest_s: Optional[float] = None,
    ) -> Utterance:
        """Keeps an utterance, or the beginning of it.

        :param samples: float32 [N] at 16 kHz; of speech, whole frames are kept
        :param phones: None for what is no speech
        :return: the record with its duration
        """
        if phones is not None:
            frames = len(samples) // HOP_SAMPLES
            if longest_s is not None:
                frames = min(len(samples), int(longest_s * SAMPLE_RATE_HZ)) // HOP_SAMPLES
            samples = samples[: frames * HOP_SAMPLES]
            with replacing(str(self._phones_file(utterance)), "w") as file:
                json.dump(phones, file)
        with replacing(str(self.sound_file(utterance))) as file:
            soundfile.write(file, samples, SAMPLE_RATE_HZ, format="FLAC")
        kept = dataclasses.replace(utterance, seconds=len(samples) / SAMPLE_RATE_HZ)
        self.manifest.add(kept)
        return kept

    def _phones_file(self, utterance: Utterance) -> Path:
        return self.folder / "phones" / f"{utterance.id}.json"
