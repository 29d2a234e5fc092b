"""A bundle: the folder that holds a model, its licence and its hashes.

The description, bundle.yaml, is read into values of fixed fields, and every file that it names is
verified before anything else looks at it.
"""

import math
import os
import zlib
from typing import Any, Dict, List, NamedTuple, Optional, Set, Union

import yaml

from ..core.errors import DataError, MissingInputError, one_line
from ..core.files import sha256_of

DESCRIPTION = "bundle.yaml"
_POINTS = 68
_MOST_FRAMES = 4096
# in both kinds of description, and in one of them
_FIELDS: Dict[str, type] = {
    "name": str,
    "version": str,
    "licence": str,
    "origin": str,
    "sample_rate_hz": int,
    "frame_rate_hz": int,
    "latency_ms": int,
    "neutral": list,
    "files": dict,
}
_STEP_FIELDS: Dict[str, type] = {
    "context_frames": int,
    "whole_frames": int,
    "steps": dict,
    "wholes": dict,
}
_WINDOW_FIELDS: Dict[str, type] = {"window": dict, "encoder": dict, "motion": dict}
_WINDOW_RANGES = {"temperature": (0.0, 10.0), "share": (0.0, 1.0), "smoothing": (0.0, 0.99)}
# half of an imported model, and the checkpoint that makes it
_HALVES = {"encoder": "fasthubert", "motion": "audio2motion"}


class StepNetwork(NamedTuple):
    """Graphs of edgeface's own network.

    `context_frames`: how far back it can remember; `whole_frames`: frames that a whole graph takes;
    `steps`, `wholes`: file names by look-ahead in ms.
    """

    context_frames: int
    whole_frames: int
    steps: Dict[int, str]
    wholes: Dict[int, str]

    @property
    def named(self) -> Set[str]:
        """Names of all files that it needs beside weights."""
        return set(self.steps.values()) | set(self.wholes.values())


class WindowNetwork(NamedTuple):
    """An imported encoder and head, which take a window of sound at once.

    `past_frames`, `hop_frames`, `future_frames`: parts of a streaming window, multiples of 4;
    `encoders`, `heads`: file names by the frames of a window; `temperature`, `seed`: of the latent
    noise; `share`, `smoothing`: of `motion.refine.Refiner`; `database`: file of the subject's
    faces, or None.
    """

    past_frames: int
    hop_frames: int
    future_frames: int
    encoders: Dict[int, str]
    heads: Dict[int, str]
    temperature: float
    seed: int
    share: float
    smoothing: float
    database: Optional[str]

    @property
    def frames(self) -> int:
        """Frames of a streaming window."""
        return self.past_frames + self.hop_frames + self.future_frames

    @property
    def named(self) -> Set[str]:
        """Names of all files that it needs beside weights."""
        named = set(self.encoders.values()) | set(self.heads.values())
        if self.database is not None:
            named.add(self.database)
        return named


class Description(NamedTuple):
    """What bundle.yaml says.

    `latency_ms`: the default look-ahead; `neutral`: the resting face, 68 lists of x, y, z; `files`:
    SHA-256 by name; `network`: the graphs; `crc32`: of the description's text.
    """

    name: str
    version: str
    licence: str
    origin: str
    sample_rate_hz: int
    frame_rate_hz: int
    latency_ms: int
    neutral: List[List[float]]
    files: Dict[str, str]
    network: Union[StepNetwork, WindowNetwork]
    crc32: int


def read_bundle(folder: str) -> Description:
    """The description of a bundle all of whose files are as it says.

    :raises MissingInputError: there is no such folder, or no bundle.yaml in it
    :raises DataError: the description is damaged, or a file is not what it says
    """
    path = os.path.join(folder, DESCRIPTION)
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        raise MissingInputError(
            f"bundle {folder}: {error.strerror or error}; give the folder that holds {DESCRIPTION}"
        ) from None
    description = _parse(text, folder, path)
    for name in sorted(description.files):
        _verify(folder, name, description.files[name])
    return description


def _parse(text: bytes, folder: str, path: str) -> Description:
    try:
        fields = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise DataError(
            f"{path}: not YAML ({one_line(error, 120)}); fetch the bundle again"
        ) from None
    if not isinstance(fields, dict):
        raise DataError(f"{path}: not a bundle description; fetch the bundle again")
    imported = "window" in fields
    if imported:
        _require_both_halves(fields, folder, path)
    common = _checked(fields, _FIELDS, path)
    if not _is_face(common["neutral"]):
        raise DataError(
            f"{path}: field 'neutral' is not {_POINTS} points of x, y, z; fetch the bundle again"
        )
    network: Union[StepNetwork, WindowNetwork]
    if imported:
        network = _window_network(_checked(fields, _WINDOW_FIELDS, path), path)
    else:
        network = StepNetwork(**_checked(fields, _STEP_FIELDS, path))
    unknown = sorted(str(name) for name in network.named if name not in common["files"])
    if unknown:
        raise DataError(f"{path}: no hash for {', '.join(unknown)}; fetch the bundle again")
    return Description(network=network, crc32=zlib.crc32(text), **common)


def _require_both_halves(fields: Dict[str, Any], folder: str, path: str) -> None:
    for half, checkpoint in _HALVES.items():
        if half not in fields:
            raise DataError(
                f"{path}: only half of an imported model; add the {half} with "
                f"`edgeface import {checkpoint} CKPT -o {folder}`"
            )


def _checked(fields: Dict[str, Any], kinds: Dict[str, type], path: str) -> Dict[str, Any]:
    """These fields, each of its kind."""
    for name, kind in kinds.items():
        if not isinstance(fields.get(name), kind):
            raise DataError(
                f"{path}: field '{name}' is missing or no {kind.__name__}; fetch the bundle again"
            )
    return {name: fields[name] for name in kinds}


def _is_face(points: List[Any]) -> bool:
    if len(points) != _POINTS:
        return False
    for point in points:
        if not isinstance(point, list) or len(point) != 3:
            return False
        if not all(type(x) in (int, float) and math.isfinite(x) for x in point):
            return False
    return True


def _window_network(sections: Dict[str, Any], path: str) -> WindowNetwork:
    try:
        return _parse_window(sections["window"], sections["encoder"], sections["motion"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path}: window, encoder or motion is invalid ({one_line(error)}); import again"
        ) from None


def _parse_window(
    window: Dict[str, Any], encoder: Dict[str, Any], motion: Dict[str, Any]
) -> WindowNetwork:
    """The network of these sections; ValueError and the like if they make none."""
    lengths = [window[name] for name in ("past", "hop", "future")]
    for length in lengths:
        if type(length) is not int or not 0 <= length <= _MOST_FRAMES or length % 4:
            raise ValueError("window: past, hop and future must be multiples of 4")
    past, hop, future = lengths
    if hop == 0:
        raise ValueError("window: the hop is 0")
    encoders = dict(encoder["graphs"])
    heads = dict(motion["graphs"])
    if sum(lengths) not in encoders or set(encoders) != set(heads):
        raise ValueError(f"no graphs for a window of {sum(lengths)} frames")
    if not all(type(frames) is int and 0 < frames <= _MOST_FRAMES for frames in encoders):
        raise ValueError("graphs: not by a number of frames")
    values = {name: float(motion[name]) for name in _WINDOW_RANGES}
    for name, (low, high) in _WINDOW_RANGES.items():
        if not low <= values[name] <= high:
            raise ValueError(f"motion.{name}: out of range, {low:g} to {high:g}")
    database = motion.get("database")
    if not (database is None or isinstance(database, str)):
        raise ValueError("motion.database: not a file name")
    return WindowNetwork(
        past,
        hop,
        future,
        encoders=encoders,
        heads=heads,
        seed=int(motion["seed"]) & 0xFFFFFFFF,
        database=database,
        **values,
    )


def _verify(folder: str, name: str, wanted: str) -> None:
    path = os.path.join(folder, str(name))
    if os.path.basename(str(name)) != name:
        raise DataError(f"{folder}: file name {name!r} leaves the bundle")
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; fetch the bundle again") from None
    if digest != wanted:
        raise DataError(
            f"{path}: damaged, its SHA-256 is not the one in {DESCRIPTION}; fetch the bundle again"
        )
