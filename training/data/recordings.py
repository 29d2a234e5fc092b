"""Recordings of people with transcripts, whose phones `align_recordings` finds."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List

import numpy as np
import soundfile
import soxr

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

from .manifest import BY_ACOUSTIC_MODEL, PERSON, TRAIN, Utterance

PEOPLE_WEIGHT = 2.0  # how much more often a second of people is drawn than one of a program


@dataclass(frozen=True)
class Recording:
    """What somebody says, and where the recording is.

    path: of a file that soundfile reads, or of raw G.722
    voice: of espeak-ng, which knows the pronunciation
    """

    id: str
    path: Path
    text: str
    voice: str
    language: str
    speaker: str
    source: str
    licence: str
    split: str = TRAIN

    def samples(self) -> np.ndarray:
        """Sound float32 [N] at 16 kHz; ffmpeg decodes G.722."""
        if self.path.suffix == ".g722":
            return _decoded(self.path)
        samples, rate_hz = soundfile.read(str(self.path), dtype="float32", always_2d=True)
        return soxr.resample(samples.mean(1), rate_hz, SAMPLE_RATE_HZ)

    def utterance(self, aligned_by: str = BY_ACOUSTIC_MODEL) -> Utterance:
        """Its record for the manifest."""
        return Utterance(
            id=self.id,
            kind=PERSON,
            source=self.source,
            licence=self.licence,
            split=self.split,
            speaker=self.speaker,
            language=self.language,
            text=self.text,
            aligned_by=aligned_by,
            weight=PEOPLE_WEIGHT,
        )


def _decoded(path: Path) -> np.ndarray:
    command = ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(path)]
    command += ["-f", "f32le", "-ar", str(SAMPLE_RATE_HZ), "-"]
    raw = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(raw, "<f4")


def installed(found: List[Recording], packages: str) -> List[Recording]:
    """The recordings that were found.

    :param packages: Debian packages that hold them
    :raises UnavailableError: there is none
    """
    if not found:
        raise UnavailableError(f"no recordings of {packages}; apt install {packages}")
    return found
