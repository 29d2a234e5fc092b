"""The bundle of an imported model: its encoder and motion network are written one by one."""

import os
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import yaml

from ..core.errors import DataError, UsageError
from ..core.files import read_regular, replacing, sha256_of
from ..core.rates import FRAME_MS, FRAME_RATE_HZ, SAMPLE_RATE_HZ
from ..model.bundle import DESCRIPTION, MOST_BYTES
from ..model.seal import sealed, without_seal

HALVES = ("encoder", "motion")


def origin_of(path: str) -> str:
    """Name and hash of a file."""
    return f"{os.path.basename(path)}, SHA-256 {sha256_of(path)}"


def window_of(folder: Path, wanted: Optional[Dict[str, int]]) -> Optional[Dict[str, int]]:
    """The window of the half that a bundle holds already, or the wanted one.

    :param wanted: `past`, `hop` and `future` in frames; None: whatever the bundle has
    :raises UsageError: both are given and differ
    """
    window = _read(folder).get("window")
    if window is None or wanted is None:
        return wanted or window
    if window != wanted:
        shown = ", ".join(f"{name} {frames}" for name, frames in window.items())
        raise UsageError(
            f"{folder}: its other half has a window of {shown}; give the same, or another folder"
        )
    return window


def check_width(folder: Path, half: str, width: int) -> None:
    """Raises UsageError if the other half that a bundle holds already does not fit.

    :param half: `encoder` or `motion`
    :param width: values of a frame that it gives or takes
    """
    fields = _read(folder)
    widths = {name: fields[name]["width"] for name in HALVES if name in fields}
    widths[half] = width
    if len(set(widths.values())) > 1:
        raise UsageError(
            f"{folder}: the encoder gives {widths['encoder']} values, the motion network takes "
            f"{widths['motion']}; import the latter with --adapter, which "
            "`edgeface import adapter` fits"
        )


def describe_half(
    folder: Path,
    half: str,
    section: Dict[str, Any],
    window: Dict[str, int],
    neutral: Optional[np.ndarray] = None,
) -> bool:
    """Writes bundle.yaml with this half; whether both are there now.

    :param half: `encoder` or `motion`
    :param section: what bundle.yaml says of it
    :param neutral: the resting face [68, 3], which the motion network knows
    """
    fields = _read(folder)
    fields.update(
        {
            "name": "imported",
            "version": "1",
            "licence": "that of the checkpoints",
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "frame_rate_hz": FRAME_RATE_HZ,
            "latency_ms": FRAME_MS * (window["hop"] - 1 + window["future"]),
            "window": window,
            half: section,
        }
    )
    present = [name for name in HALVES if name in fields]
    fields["origin"] = "; ".join(fields[name]["origin"] for name in present)
    if neutral is not None:
        fields["neutral"] = [[round(float(x), 5) for x in point] for point in neutral]
    fields.pop("measured", None)
    names = {f"{name}.bin" for name in present}
    for name in present:
        names.update(fields[name]["graphs"].values())
    database = fields.get("motion", {}).get("database")
    if database is not None:
        names.add(database)
    fields["files"] = {name: sha256_of(str(folder / name)) for name in sorted(names)}
    _write(folder, fields)
    return len(present) == len(HALVES)


def record_deviation(folder: Path, figures: Dict[str, float]) -> None:
    """Writes the figures of `deviation.measure_deviation` into bundle.yaml."""
    fields = _read(folder)
    fields["measured"] = {"stream_against_whole": figures}
    _write(folder, fields)


def _read(folder: Path) -> Dict[str, Any]:
    try:
        fields = yaml.safe_load(read_regular(str(folder / DESCRIPTION), MOST_BYTES))
    except FileNotFoundError:
        return {}
    except Exception:  # PyYAML raises more than its own errors
        fields = None
    if not isinstance(fields, dict) or "steps" in fields:
        raise DataError(f"{folder}: not a bundle of an imported model; choose another folder")
    return fields


def _write(folder: Path, fields: Dict[str, Any]) -> None:
    text = yaml.safe_dump(without_seal(fields), sort_keys=False, default_flow_style=None, width=120)
    with replacing(str(folder / DESCRIPTION), "w") as file:
        file.write(sealed(text))
