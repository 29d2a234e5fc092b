"""Other voices for the clips of the one talker.

A model that is trained on one man alone does not understand anybody else.
"""

import zlib
from pathlib import Path
from typing import List, NamedTuple, Tuple

import numpy as np
import soundfile
from tqdm import tqdm

from edgeface.core.files import replacing
from edgeface.core.rates import SAMPLE_RATE_HZ
from training.signal.vocoder import Voice

from .grid import FOLDER, Clip, in_training, load_grid

_LOUDEST = 0.99


class VoiceRange(NamedTuple):
    """Factors on pitch and formants, from and to."""

    pitch: Tuple[float, float]
    formants: Tuple[float, float]


VOICES = (
    VoiceRange((1.5, 1.9), (1.08, 1.2)),  # a woman
    VoiceRange((0.75, 1.3), (0.88, 1.08)),  # another man
    VoiceRange((1.8, 2.5), (1.15, 1.32)),  # a child or high voice
)


def voice_path(cache: Path, name: str, number: int) -> Path:
    """Where the cache keeps voice `number` (0 to 2) of clip `name`."""
    return Path(cache) / "voices" / f"{name}-{number}.flac"


def voice_paths(cache: Path, clip: Clip) -> List[Path]:
    """The other voices of a clip that the cache has."""
    paths = [voice_path(cache, clip.name, number) for number in range(len(VOICES))]
    return [path for path in paths if path.exists()]


def synthesise(data: Path, cache: Path) -> None:
    """Fills cache/voices; resumable."""
    clips, _ = load_grid(Path(data) / FOLDER)
    (Path(cache) / "voices").mkdir(parents=True, exist_ok=True)
    for clip in tqdm(in_training(clips), desc="voices", disable=None):
        voice = None
        for number, one in enumerate(VOICES):
            path = voice_path(cache, clip.name, number)
            if path.exists():
                continue
            voice = voice or Voice(clip.samples)  # slow, and the same for all three
            rng = np.random.default_rng(zlib.crc32(path.name.encode()))
            other = voice.changed(rng.uniform(*one.pitch), rng.uniform(*one.formants))
            other *= min(1.0, _LOUDEST / (np.abs(other).max() + 1e-9))
            with replacing(str(path)) as file:
                soundfile.write(file, other, SAMPLE_RATE_HZ, format="FLAC")
