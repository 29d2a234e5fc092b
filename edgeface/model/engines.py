"""TensorRT engines: built ahead of time in a child process, kept by what they depend on, verified when loaded."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
import onnxruntime

from ..core.board import this_board
from ..core.errors import DataError, UnavailableError

MANIFEST = "manifest.json"
# landmarks may differ by so much of the distance of the eyes: half a pixel of a face 100 pixels between the eyes
BOUND = 0.005
_HEADROOM_MB = 1500  # contexts of CUDA, cuDNN and cuBLAS take a gigabyte, the builder a workspace
_LONGEST_S = 3600.0
_TOLD_EVERY_S = 5.0
_FRAMES = "frames.npy"


class Engine(NamedTuple):
    """A folder of engines that is whole; `reason` says why it has this precision."""

    folder: str
    float16: bool
    reason: str


def cache_root():
    """Where engines are kept: systemd's cache folder, or the user's."""
    folder = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
    return os.path.join(folder or os.path.expanduser("~/.cache/edgeface"), "engines")


def engine_key(
    bundle, lookahead_ms, provider="tensorrt", board=None, release=onnxruntime.__version__
):
    """What an engine depends on, as a name: model, builder, ONNX Runtime, TensorRT, L4T and device."""
    board = board or this_board()
    graphs = bundle.streaming_files(lookahead_ms)
    parts = [
        bundle.files[name]
        for name in sorted(bundle.files)
        if name in graphs or name.endswith(".bin")
    ]
    text = "|".join(
        parts + [provider, release, board.tensorrt, board.l4t, board.model, board.machine]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def ready_engine(bundle, lookahead_ms, provider="tensorrt", root=None):
    """The `Engine` of this model on this machine; None where none was built, or it is damaged."""
    folder = os.path.join(root or cache_root(), engine_key(bundle, lookahead_ms, provider))
    try:
        with open(os.path.join(folder, MANIFEST)) as file:
            manifest = json.load(file)
        for name, digest in manifest["files"].items():
            if _digest(os.path.join(folder, os.path.basename(name))) != digest:
                return None
        return Engine(folder, bool(manifest["float16"]), str(manifest["reason"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def prepare(
    bundle,
    lookahead_ms,
    tell,
    root=None,
    provider="tensorrt",
    worker=None,
    longest_s=_LONGEST_S,
    available_mb=None,
):
    """Builds the engines of a bundle, with half precision if that changes nothing that is seen.

    :param tell: called with a line of text every few seconds
    :param provider: what builds: `tensorrt`, ONNX Runtime's, or `native`
    :param worker: command of the child; folder, provider and `float16` or `float32` are appended
    :param available_mb: free memory; read from the system by default
    :return: `Engine`
    :raises UnavailableError: not enough memory, the child failed or took too long
    """
    root = root or cache_root()
    free_mb = _available_mb() if available_mb is None else available_mb
    if provider != "cpu" and free_mb < _HEADROOM_MB:
        raise UnavailableError(
            f"engine: {free_mb:.0f} MB of memory are free, {_HEADROOM_MB} are needed; boot without a desktop, or add swap"
        )
    worker = worker or [
        sys.executable,
        "-m",
        "edgeface.model.engine_worker",
        bundle.folder,
        str(lookahead_ms),
    ]
    final = os.path.join(root, engine_key(bundle, lookahead_ms, provider))
    temporary = f"{final}.{os.getpid()}.tmp"
    try:
        folders = {}
        for precision in ("float32", "float16"):
            folders[precision] = os.path.join(temporary, precision)
            os.makedirs(folders[precision])
            _build(
                worker + [folders[precision], provider, precision],
                folders[precision],
                tell,
                longest_s,
            )
        float16, reason = choose(
            *(_frames(folders[precision]) for precision in ("float32", "float16"))
        )
        tell(f"float16: {reason}")
        chosen = folders["float16" if float16 else "float32"]
        _seal(chosen, float16, reason)
        shutil.rmtree(final, ignore_errors=True)
        os.rename(chosen, final)
    except OSError as error:
        raise UnavailableError(
            f"engine: {root}: {error.strerror}; make room, or give access"
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Engine(final, float16, reason)


def choose(wanted, got):
    """Whether half precision is good enough: (bool, why), from landmarks [T, 68, 3] of the same voice."""
    if wanted.shape != got.shape:
        return False, f"refused: {len(got)} frames instead of {len(wanted)}"
    if not np.isfinite(got).all():
        return False, "refused: it computes values that are no numbers"
    difference = float(np.abs(got - wanted).max(initial=0.0))
    if difference > BOUND:
        return (
            False,
            f"refused: landmarks differ by up to {difference:.4f}, the bound is {BOUND:.4f}",
        )
    return True, f"taken: landmarks differ by at most {difference:.4f}, the bound is {BOUND:.4f}"


def _build(command, folder, tell, longest_s):
    began = time.monotonic()
    with open(os.path.join(folder, "build.log"), "wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        while True:
            try:
                code = child.wait(_TOLD_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                passed_s = time.monotonic() - began
                if passed_s > longest_s:
                    raise UnavailableError(
                        f"engine: not built within {longest_s:.0f} s; see `edgeface doctor`"
                    ) from None
                tell(f"{command[-1]}: building, {passed_s:.0f} s")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if code != 0:
        with open(os.path.join(folder, "build.log"), errors="replace") as file:
            last = " ".join(file.read()[-300:].split())
        raise UnavailableError(
            f"engine: the builder ended with {code} ({last}); -9 is the system's want of memory"
        )


def _frames(folder):
    try:
        return np.load(os.path.join(folder, _FRAMES), allow_pickle=False)
    except (OSError, ValueError):
        raise DataError("engine: the builder left no frames; build again") from None


def _seal(folder, float16, reason):
    files = {name: _digest(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}
    path = os.path.join(folder, MANIFEST)
    with open(path, "w") as file:
        json.dump({"files": files, "float16": float16, "reason": reason}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def _available_mb():
    with open("/proc/meminfo") as file:
        return next(
            int(line.split()[1]) // 1024 for line in file if line.startswith("MemAvailable")
        )
