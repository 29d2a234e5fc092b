"""Command: other voices for the clips of the one talker, and sounds that are no speech, into a cache; resumable.

Every clip gets three copies with another pitch and vocal tract, since a model
trained on one man alone does not understand anybody else.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from edgeface.core.rates import SAMPLE_RATE_HZ

from . import noises
from .augment import Voice
from .corpus import is_held_out, load_grid

# (pitch, formants), each a range: a woman, another man, a child or high voice
VOICES = (((1.5, 1.9), (1.08, 1.2)), ((0.75, 1.3), (0.88, 1.08)), ((1.8, 2.5), (1.15, 1.32)))


def voice_path(cache, name, number):
    """Where the cache keeps voice `number` (0 to 2) of clip `name`."""
    return Path(cache) / "voices" / f"{name}-{number}.flac"


def main():
    """Fills the cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument("--cache", type=Path, required=True)
    arguments = parser.parse_args()
    noises.prepare(arguments.cache)
    clips, _ = load_grid(arguments.data / "grid_s1")
    (arguments.cache / "voices").mkdir(parents=True, exist_ok=True)
    for clip in tqdm([clip for clip in clips if not is_held_out(clip.name)], disable=None):
        voice = None
        for number, (pitch, formants) in enumerate(VOICES):
            path = voice_path(arguments.cache, clip.name, number)
            if path.exists():
                continue
            voice = voice or Voice(clip.samples)  # slow, and the same for all three
            rng = np.random.default_rng(zlib.crc32(path.name.encode()))
            other = voice.changed(rng.uniform(*pitch), rng.uniform(*formants))
            other *= min(1.0, 0.99 / (np.abs(other).max() + 1e-9))
            partial = path.with_suffix(".part")
            soundfile.write(str(partial), other, SAMPLE_RATE_HZ, format="FLAC")
            partial.rename(path)


if __name__ == "__main__":
    main()
