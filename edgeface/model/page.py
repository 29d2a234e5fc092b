"""bundle.yaml to a `Description`, or to one error that names the field."""

import os
import re
import zlib
from typing import Any, Dict, List, Union

import yaml

from ..core.errors import DataError, one_line
from ..core.rates import FRAME_MS, FRAME_RATE_HZ, SAMPLE_RATE_HZ
from .description import Description, StepNetwork, WindowNetwork
from .seal import is_damaged

_POINTS = 68
_FARTHEST = 10.0  # of a point of the face from its origin
_DIGEST = re.compile("[0-9a-f]{64}")
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
    "blocks": dict,
    "cpu_steps": dict,
}
_LATER = ("blocks", "cpu_steps")  # not in bundles of earlier releases
_WINDOW_FIELDS: Dict[str, type] = {"window": dict, "encoder": dict, "motion": dict}
_WINDOW_RANGES = {"temperature": (0.0, 10.0), "share": (0.0, 1.0), "smoothing": (0.0, 0.99)}
# half of an imported model, and the checkpoint that makes it
_HALVES = {"encoder": "fasthubert", "motion": "audio2motion"}


def parse(text: bytes, folder: str, path: str) -> Description:
    """The description in a page.

    :param folder: of the bundle, and the path of the page: what errors name
    :raises DataError: it is damaged, or says what cannot be
    """
    try:
        fields = yaml.safe_load(text)
    except Exception as error:  # PyYAML raises more than its own errors; RecursionError is one
        reason = one_line(error, 120) or type(error).__name__
        raise DataError(f"{path}: not YAML ({reason}); fetch the bundle again") from None
    if not isinstance(fields, dict):
        raise DataError(f"{path}: not a bundle description; fetch the bundle again")
    if is_damaged(text, fields):
        raise DataError(
            f"{path}: damaged, its SHA-256 is not the one in its last line; fetch the bundle again"
        )
    imported = "window" in fields
    if imported:
        _require_both_halves(fields, folder, path)
    common = _checked(fields, _FIELDS, path)
    _check_common(common, path)
    network: Union[StepNetwork, WindowNetwork]
    if imported:
        network = _window_network(_checked(fields, _WINDOW_FIELDS, path), path)
    else:
        for name in _LATER:
            fields.setdefault(name, {})
        network = _step_network(_checked(fields, _STEP_FIELDS, path), common["latency_ms"], path)
    unknown = sorted(name for name in network.named if name not in common["files"])
    if unknown:
        raise DataError(f"{path}: no hash for {', '.join(unknown)}; fetch the bundle again")
    return Description(network=network, crc32=zlib.crc32(text), **common)


def _check_common(common: Dict[str, Any], path: str) -> None:
    """Whether the fields of both kinds of model hold what can be; DataError if not."""
    if not _is_face(common["neutral"]):
        raise DataError(
            f"{path}: field 'neutral' is not {_POINTS} points of x, y, z; fetch the bundle again"
        )
    for name, rate in (("sample_rate_hz", SAMPLE_RATE_HZ), ("frame_rate_hz", FRAME_RATE_HZ)):
        if common[name] != rate:
            raise DataError(f"{path}: field '{name}' is not {rate}; fetch the bundle again")
    if not 0 <= common["latency_ms"] <= _MOST_FRAMES * FRAME_MS:
        raise DataError(f"{path}: field 'latency_ms' is out of range; fetch the bundle again")
    for name, digest in common["files"].items():
        if not is_file_name(name):
            raise DataError(f"{path}: file name {name!a} leaves the bundle; fetch it again")
        if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
            raise DataError(f"{path}: the hash of {name} is none; fetch the bundle again")


def is_file_name(name: Any) -> bool:
    """Whether this is the name of a file in a folder, and of nothing else."""
    if not isinstance(name, str) or name in ("", ".", "..") or not name.isprintable():
        return False
    return os.path.basename(name) == name


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
        if type(fields.get(name)) is not kind:  # true and false are no numbers
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
        if not all(type(x) in (int, float) and abs(x) <= _FARTHEST for x in point):
            return False
    return True


def _step_network(fields: Dict[str, Any], latency_ms: int, path: str) -> StepNetwork:
    network = StepNetwork(**fields)
    try:
        if not 0 < network.context_frames < network.whole_frames <= _MOST_FRAMES:
            raise ValueError("context_frames or whole_frames: out of range")
        _check_graphs(network.steps, 0)
        _check_graphs(network.wholes, 0)
        for graphs in (network.blocks, network.cpu_steps):
            _check_graphs(graphs, 0)
            if graphs and set(graphs) != set(network.steps):
                raise ValueError("blocks or cpu_steps: not for the same look-aheads as steps")
        if latency_ms not in network.steps or set(network.steps) != set(network.wholes):
            raise ValueError("steps and wholes: not for the same look-aheads, the default one too")
    except ValueError as error:
        raise DataError(f"{path}: {error}; fetch the bundle again") from None
    return network


def _check_graphs(graphs: Dict[Any, Any], lowest: int) -> None:
    """Raises ValueError unless these are names of files by numbers from `lowest` on."""
    for number, name in graphs.items():
        if type(number) is not int or not lowest <= number <= _MOST_FRAMES:
            raise ValueError("graphs: not by a number")
        if not is_file_name(name):
            raise ValueError("graphs: not file names")


def _window_network(sections: Dict[str, Any], path: str) -> WindowNetwork:
    try:
        return _parse_window(sections["window"], sections["encoder"], sections["motion"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
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
    _check_graphs(encoders, 1)
    _check_graphs(heads, 1)
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
