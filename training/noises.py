"""Real sounds that are no speech, from Debian's packages: music, machines, animals, weather, signals.

Nobody speaks in them, so no mouth must move; beside them, it must.
"""

import re
import zlib
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from edgeface.core.errors import DataError, MissingInputError
from edgeface.core.rates import SAMPLE_RATE_HZ
from edgeface.source.file import read_whole

from .augment import level_db

_SHARE = Path("/usr/share")
# patterns below it
_PATTERNS = {
    "music": (
        "games/wesnoth/*/data/core/music/*.ogg",
        "games/warzone2100/music/**/*.opus",
        "games/singularity/music/**/*.ogg",
        "games/supertux2/music/**/*.ogg",
        "games/fretsonfire/data/songs/sectoid/*/*.ogg",
        "games/lincity-ng/music/**/*.ogg",
        "games/fillets-ng/music/*.ogg",
        "games/etr/music/*.ogg",
        "games/frozen-bubble/snd/*zik*.ogg",
        "hyperrogue/music/*.ogg",
        "games/colobot/music/*.ogg",
        "games/neverball/bgm/*.ogg",
        "sounds/lomiri/ringtones/*.ogg",
    ),
    "effect": (
        "games/lincity-ng/sounds/*.wav",
        "games/supertux2/sounds/**/*.*",
        "tuxpaint/stamps/animals/**/*.*",
        "tuxpaint/stamps/vehicles/**/*.*",
        "sounds/freedesktop/stereo/*.oga",
        "games/etr/sounds/*.*",
        "sonic-pi/samples/*.flac",
        "lmms/samples/**/*.ogg",
        "sounds/lomiri/notifications/*.ogg",
        "sounds/Oxygen-*.ogg",
        "buckle/wav/*.wav",
        "games/endless-sky/sounds/**/*.wav",
        "games/minetest/games/minetest_game/mods/*/sounds/*.ogg",
    ),
}
# in no training, nor is one subject in five of the other packages' effects
_KEPT_PACKAGES = {"fillets-ng", "etr", "frozen-bubble", "freedesktop"}
_SPOKEN = re.compile(r"_desc|audio-channel")
_SHORTEST_S, _LONGEST_S = 0.2, 120.0
FAINT_DB = -55.0  # what is fainter on average is not made louder


def _found(kind):
    return [
        path
        for pattern in _PATTERNS[kind]
        for path in sorted(_SHARE.glob(pattern))
        if path.suffix in (".wav", ".flac", ".ogg", ".oga", ".opus")
        and not _SPOKEN.search(path.stem)
    ]


def _is_kept(kind, path):
    subject = path.stem.rstrip("0123456789")
    return not _KEPT_PACKAGES.isdisjoint(path.parts) or (
        kind == "effect" and zlib.crc32(subject.encode()) % 5 == 0
    )


def prepare(cache):
    """Fills cache/noises with what training hears and cache/judged with what it must not; resumable."""
    for folder in ("noises", "judged"):
        Path(cache, folder).mkdir(parents=True, exist_ok=True)
    for kind in _PATTERNS:
        for path in tqdm(_found(kind), desc=kind, disable=None):
            stored = Path(
                cache,
                "judged" if _is_kept(kind, path) else "noises",
                f"{kind}-{'-'.join(path.relative_to(_SHARE).parts)}.flac",
            )
            if stored.exists():
                continue
            try:
                samples = read_whole(str(path))[: int(_LONGEST_S * SAMPLE_RATE_HZ)]
            except DataError as error:  # packages hold damaged files, too
                print("left out:", error)
                continue
            if len(samples) >= _SHORTEST_S * SAMPLE_RATE_HZ:
                partial = stored.with_suffix(".part")
                soundfile.write(str(partial), samples, SAMPLE_RATE_HZ, format="FLAC")
                partial.rename(stored)
        print(
            "{}: {:.0f} minutes to hear, {:.0f} to judge by".format(
                kind, *(_minutes(Path(cache, folder), kind) for folder in ("noises", "judged"))
            )
        )


def judged(cache, kind):
    """Each piece of "music", or each "effect", that no training heard: a list of float32 [N] of unit level.

    :raises MissingInputError: there is none
    """
    return [
        _levelled(soundfile.read(str(path), dtype="float32")[0])
        for path in stored(cache, "judged", kind)
    ]


def stored(cache, folder, kind):
    """Paths of the sounds of a kind in the cache's `noises`, which training hears, or `judged`.

    :raises MissingInputError: there is none
    """
    paths = sorted(Path(cache, folder).glob(f"{kind}-*.flac"))
    if not paths:
        raise MissingInputError(
            f"{Path(cache, folder)}: no {kind} in it; training.prepare takes it from Debian's packages"
        )
    return paths


def _minutes(folder, kind):
    return sum(soundfile.info(str(path)).duration for path in folder.glob(f"{kind}-*.flac")) / 60


def _levelled(samples):
    return samples * np.float32(10 ** (-max(level_db(samples), FAINT_DB) / 20))
