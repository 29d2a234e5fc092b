"""A bundle of imported networks: two halves, written one after the other."""

import hashlib
import os

import numpy as np
import onnxruntime
import yaml

from ..build import build_pipeline, load_bundle, whole_pass
from ..config import Model, Motion, Settings
from ..core.errors import DataError, UsageError
from ..core.resources import BUNDLED_VOICE
from ..model.bundle import DESCRIPTION
from ..source.file import read_whole
from .graphs import reduce_precision, share_weights, write_graph

WHOLE_FRAMES = (128, 504)  # of one pass over a file: 5 and 20 s
HALVES = ("encoder", "motion")
_TOLERANCE = 1e-4  # of ONNX against PyTorch
_FRAME_MS = 40


def write_half(module, folder, name, window, precision, compare, tell):
    """Writes the graphs of all lengths and checks them; ({frames: file}, figures).

    :param module: a `graphs.EncoderGraph` or `MotionGraph`
    :param folder: of the bundle, a `pathlib.Path`
    :param name: of the half
    :param window: dict of `past`, `hop` and `future` in frames
    :param compare: function of a session and its frames to (what PyTorch computes, what the session does)
    :raises DataError: ONNX Runtime computes something else
    """
    folder.mkdir(parents=True, exist_ok=True)
    graphs, figures = {}, {}
    for frames in sorted({sum(window.values()), *WHOLE_FRAMES}):
        graphs[frames] = f"{name}_{frames}.onnx"
        path = folder / graphs[frames]
        tell(f"{name}: exporting a window of {frames} frames")
        write_graph(module, frames, path)
        wanted, got = compare(_session(path), frames)
        difference = float(np.abs(got - wanted).max())
        if difference > _TOLERANCE * max(1.0, float(np.abs(wanted).max())):
            raise DataError(f"{path}: ONNX differs from PyTorch by {difference:.1e}; report it")
        figures["onnx_difference"] = max(difference, figures.get("onnx_difference", 0.0))
        if precision != "float32":
            reduce_precision(path, precision)
            wanted, got = compare(_session(path), frames)
            cosine = (
                (wanted * got).sum(-1)
                / np.linalg.norm(wanted, axis=-1)
                / np.linalg.norm(got, axis=-1)
            )
            figures["cosine"] = min(float(cosine.mean()), figures.get("cosine", 1.0))
            figures["difference"] = max(
                float(np.abs(got - wanted).max()), figures.get("difference", 0.0)
            )
    share_weights([folder / graph for graph in graphs.values()], folder / f"{name}.bin")
    tell(f"{name}: {', '.join(('{} {:.3g}'.format(*item) for item in sorted(figures.items())))}")
    return graphs, figures


def _session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def origin_of(path):
    """Name and hash of a file, str."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return f"{os.path.basename(path)}, SHA-256 {digest.hexdigest()}"


def window_of(folder, wanted):
    """The window of a bundle's other half, which must be the `wanted` one where that is not None.

    :raises UsageError: it is another
    """
    fields = _fields(folder)
    window = fields.get("window")
    if window is None or wanted is None:
        return wanted or window
    if window != wanted:
        raise UsageError(
            f"{folder}: its other half has a window of {', '.join(('{} {}'.format(*item) for item in window.items()))}; give the same, or another folder"
        )
    return window


def check_width(folder, half, width):
    """Raises UsageError if the other half that is there does not fit."""
    fields = _fields(folder)
    widths = {name: fields[name]["width"] for name in HALVES if name in fields}
    widths[half] = width
    if len(set(widths.values())) > 1:
        raise UsageError(
            f"{folder}: the encoder gives {widths['encoder']} values, the motion network hears {widths['motion']}; import the latter with --adapter, which `edgeface import adapter` fits"
        )


def _fields(folder):
    try:
        fields = yaml.safe_load((folder / DESCRIPTION).read_text())
    except OSError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError):
        fields = None
    if not isinstance(fields, dict) or "steps" in fields:
        raise DataError(f"{folder}: not a bundle of imported networks; choose another folder")
    return fields


def describe_half(folder, half, section, window, neutral=None):
    """Writes bundle.yaml with this half; returns whether both are there."""
    fields = _fields(folder)
    fields.update(
        {
            "name": "imported",
            "version": "1",
            "licence": "that of the checkpoints",
            "sample_rate_hz": 16000,
            "frame_rate_hz": 25,
            "latency_ms": _FRAME_MS * (window["hop"] - 1 + window["future"]),
            "window": window,
            half: section,
        }
    )
    fields["origin"] = "; ".join(fields[name]["origin"] for name in HALVES if name in fields)
    if neutral is not None:
        fields["neutral"] = [[round(float(x), 5) for x in point] for point in neutral]
    fields.pop("measured", None)
    names = {file for part in HALVES if part in fields for file in fields[part]["graphs"].values()}
    names |= {f"{part}.bin" for part in HALVES if part in fields}
    names |= {fields["motion"]["database"]} - {None} if "motion" in fields else set()
    fields["files"] = {name: origin_of(folder / name).split()[-1] for name in sorted(names)}
    _save(folder, fields)
    return all(name in fields for name in HALVES)


def _save(folder, fields):
    temporary = folder / f"{DESCRIPTION}.tmp"
    temporary.write_text(
        yaml.safe_dump(fields, sort_keys=False, default_flow_style=None, width=120)
    )
    temporary.replace(folder / DESCRIPTION)


def deviation(folder):
    """How far a pair's stream is from one pass over the bundled voice: dict of floats.

    Distances of landmarks in units of the eyes' distance: the mean, 99th percentile and largest deviation, and
    `motion`, how far the landmarks are from the resting face in the mean.
    """
    bundle, voice = load_bundle(str(folder)), read_whole(BUNDLED_VOICE)
    pipeline = build_pipeline(
        Settings(model=Model(bundle=str(folder)), motion=Motion(blink=False)), bundle
    )
    streamed = np.array([frame.landmarks for frame in pipeline.accept(voice) + pipeline.finish()])
    whole = whole_pass(bundle, voice, "cpu", 0)[0]
    apart = np.linalg.norm(streamed - whole, axis=-1)
    moved = np.linalg.norm(whole - np.array(bundle.neutral), axis=-1)
    return {
        "mean": float(apart.mean()),
        "p99": float(np.percentile(apart, 99)),
        "max": float(apart.max()),
        "motion": float(moved.mean()),
    }


def state_deviation(folder, figures):
    """Writes the figures of `deviation` into bundle.yaml."""
    fields = _fields(folder)
    fields["measured"] = {"stream_against_whole": figures}
    _save(folder, fields)
