"""Sounds that are no speech, from Debian's packages: music, machines, animals, weather, signals.

Nobody speaks in them, so no mouth must move; beside them, it must.
"""

import re
from pathlib import Path
from typing import List, NamedTuple, Tuple

import numpy as np
from tqdm import tqdm

from edgeface.core.errors import DataError
from edgeface.core.rates import SAMPLE_RATE_HZ
from edgeface.source.file import read_whole
from training.signal.level import decibels, level_db

from .manifest import EFFECT, MUSIC, TEST, TRAIN, Utterance, split_by_name
from .store import Store

_SHARE = Path("/usr/share")


class _Origin(NamedTuple):
    """pattern: of the files below `_SHARE`; package: Debian's."""

    kind: str
    pattern: str
    package: str
    licence: str


_ORIGINS = (
    _Origin(
        MUSIC,
        "games/wesnoth/*/data/core/music/*.ogg",
        "wesnoth-1.16-music",
        "GPL-2.0-or-later",
    ),
    _Origin(MUSIC, "games/warzone2100/music/**/*.opus", "warzone2100-music", "GPL-2.0-or-later"),
    _Origin(MUSIC, "games/singularity/music/**/*.ogg", "singularity-music", "CC-BY-SA-3.0"),
    _Origin(
        MUSIC,
        "games/supertux2/music/**/*.ogg",
        "supertux-data",
        "GPL-2.0-or-later, GPL-3.0-or-later",
    ),
    _Origin(
        MUSIC,
        "games/fretsonfire/data/songs/sectoid/*/*.ogg",
        "fretsonfire-songs-sectoid",
        "MIT",
    ),
    _Origin(MUSIC, "games/lincity-ng/music/**/*.ogg", "lincity-ng-data", "GPL-2.0-or-later"),
    _Origin(MUSIC, "games/fillets-ng/music/*.ogg", "fillets-ng-data", "GPL-2.0-or-later"),
    _Origin(MUSIC, "games/etr/music/*.ogg", "extremetuxracer-data", "GPL-2.0-or-later"),
    _Origin(MUSIC, "games/frozen-bubble/snd/*zik*.ogg", "frozen-bubble-data", "GPL-2.0-only"),
    _Origin(MUSIC, "hyperrogue/music/*.ogg", "hyperrogue-music", "CC-BY-SA-3.0"),
    _Origin(MUSIC, "games/colobot/music/*.ogg", "colobot-common-sounds", "GPL-3.0-or-later"),
    _Origin(MUSIC, "games/neverball/bgm/*.ogg", "neverball-common", "GPL-2.0-or-later"),
    _Origin(MUSIC, "sounds/lomiri/ringtones/*.ogg", "lomiri-sounds", "CC-BY-SA-3.0, CC-BY"),
    _Origin(EFFECT, "games/lincity-ng/sounds/*.wav", "lincity-ng-data", "GPL-2.0-or-later"),
    _Origin(
        EFFECT,
        "games/supertux2/sounds/**/*.*",
        "supertux-data",
        "GPL-2.0-or-later, GPL-3.0-or-later",
    ),
    _Origin(
        EFFECT,
        "tuxpaint/stamps/animals/**/*.*",
        "tuxpaint-stamps-default",
        "GPL-2.0-or-later",
    ),
    _Origin(
        EFFECT,
        "tuxpaint/stamps/vehicles/**/*.*",
        "tuxpaint-stamps-default",
        "GPL-2.0-or-later",
    ),
    _Origin(
        EFFECT,
        "sounds/freedesktop/stereo/*.oga",
        "sound-theme-freedesktop",
        "GPL-2.0-or-later, CC-BY-3.0, CC-BY-SA-3.0",
    ),
    _Origin(EFFECT, "games/etr/sounds/*.*", "extremetuxracer-data", "GPL-2.0-or-later"),
    _Origin(EFFECT, "sonic-pi/samples/*.flac", "sonic-pi-samples", "CC0-1.0"),
    _Origin(EFFECT, "lmms/samples/**/*.ogg", "lmms-common", "GPL-2.0-or-later"),
    _Origin(EFFECT, "sounds/lomiri/notifications/*.ogg", "lomiri-sounds", "CC-BY-SA-3.0, CC-BY"),
    _Origin(EFFECT, "sounds/Oxygen-*.ogg", "oxygen-sounds", "LGPL-3.0-or-later"),
    _Origin(EFFECT, "buckle/wav/*.wav", "bucklespring-data", "GPL-2.0-or-later"),
    _Origin(
        EFFECT,
        "games/endless-sky/sounds/**/*.wav",
        "endless-sky-data",
        "public domain, CC-BY-SA-3.0",
    ),
    _Origin(
        EFFECT,
        "games/minetest/games/minetest_game/mods/*/sounds/*.ogg",
        "minetest-data",
        "CC-BY-SA-3.0",
    ),
)
# in no training, nor is one subject in five of the other packages' effects
_TEST_PACKAGES = (
    "fillets-ng-data",
    "extremetuxracer-data",
    "frozen-bubble-data",
    "sound-theme-freedesktop",
)
_EVERY = 5
_SPOKEN = re.compile(r"_desc|audio-channel")
_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus")
_SHORTEST_S = 0.2
_LONGEST_S = 120.0
FAINT_DB = -55.0  # what is fainter on average is not made louder


def prepare(store: Store) -> None:
    """Adds the sounds of the packages that are installed; resumable."""
    for kind in (MUSIC, EFFECT):
        for path, origin in tqdm(_found(kind), desc=kind, disable=None):
            _add(store, path, origin)
        train, test = (_minutes(store, kind, split) for split in (TRAIN, TEST))
        print(f"{kind}: {train:.0f} minutes to train on, {test:.0f} to judge by")


def unheard_sounds(store: Store, kind: str) -> List[np.ndarray]:
    """Each piece of music, or each effect, that no training heard: float32 [N] of unit level.

    :raises MissingInputError: there is none
    """
    return [_levelled(store.samples(one)) for one in store.find((kind,), TEST)]


def _found(kind: str) -> List[Tuple[Path, _Origin]]:
    found = []
    for origin in _ORIGINS:
        if origin.kind == kind:
            found += [
                (path, origin)
                for path in sorted(_SHARE.glob(origin.pattern))
                if path.suffix in _SUFFIXES and not _SPOKEN.search(path.stem)
            ]
    return found


def _add(store: Store, path: Path, origin: _Origin) -> None:
    key = f"{origin.kind}-{'-'.join(path.relative_to(_SHARE).parts)}"
    if key in store.manifest:
        return
    try:
        samples = read_whole(str(path))[: int(_LONGEST_S * SAMPLE_RATE_HZ)]
    except DataError as error:  # packages hold damaged files, too
        print("left out:", error)
        return
    if len(samples) >= _SHORTEST_S * SAMPLE_RATE_HZ:
        utterance = Utterance(
            id=key,
            kind=origin.kind,
            source=origin.package,
            licence=origin.licence,
            split=_split(path, origin),
        )
        store.add(utterance, samples)


def _split(path: Path, origin: _Origin) -> str:
    if origin.package in _TEST_PACKAGES:
        return TEST
    if origin.kind == MUSIC:
        return TRAIN
    return split_by_name(path.stem.rstrip("0123456789"), _EVERY)


def _minutes(store: Store, kind: str, split: str) -> float:
    return sum(one.seconds for one in store.manifest.find((kind,), split)) / 60


def _levelled(samples: np.ndarray) -> np.ndarray:
    return samples * np.float32(decibels(-max(level_db(samples), FAINT_DB)))
