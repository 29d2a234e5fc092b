"""TensorRT engines: built in a child process, kept by what they depend on, verified when used."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from typing import Callable, List, Optional, Tuple

import numpy as np

from ..core.arrays import read_npy
from ..core.board import Board, this_board
from ..core.errors import DataError, UnavailableError, one_line
from ..core.files import sha256_of
from .model import Model
from .runtime.compute import Engine
from .runtime.library import onnxruntime

MANIFEST = "manifest.json"
FRAMES = "frames.npy"  # landmarks that the child computed
# How far landmarks may differ, as a share of the distance between the eyes: half a pixel of a face
# whose eyes are 100 pixels apart.
BOUND = 0.005
_HEADROOM_MB = 1500  # contexts of CUDA, cuDNN and cuBLAS take a gigabyte, the builder a workspace
_LONGEST_S = 3600.0
_PROGRESS_EVERY_S = 5.0
_LONGEST_REASON = 300  # characters

Progress = Callable[[str], object]


def cache_root() -> str:
    """Where engines are kept: systemd's cache folder, or the user's."""
    folder = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
    return os.path.join(folder or os.path.expanduser("~/.cache/edgeface"), "engines")


def engine_key(
    model: Model,
    lookahead_ms: int,
    provider: str = "tensorrt",
    board: Optional[Board] = None,
    release: str = onnxruntime.__version__,
) -> str:
    """A name of what an engine depends on: model, provider, ONNX Runtime, TensorRT, L4T, device."""
    board = board or this_board()
    graphs = model.streaming_files(lookahead_ms)
    needed = [name for name in sorted(model.files) if name in graphs or name.endswith(".bin")]
    parts = [model.files[name] for name in needed]
    parts += [provider, release, board.tensorrt, board.l4t, board.model, board.machine]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def ready_engine(
    model: Model, lookahead_ms: int, provider: str = "tensorrt", root: Optional[str] = None
) -> Optional[Engine]:
    """The engine of this model on this machine; None where none was built, or it is damaged."""
    folder = os.path.join(root or cache_root(), engine_key(model, lookahead_ms, provider))
    try:
        with open(os.path.join(folder, MANIFEST)) as file:
            manifest = json.load(file)
        for name, digest in manifest["files"].items():
            if sha256_of(os.path.join(folder, os.path.basename(name))) != digest:
                return None
        return Engine(folder, bool(manifest["float16"]), str(manifest["reason"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def prepare(
    model: Model,
    lookahead_ms: int,
    provider: str,
    worker: List[str],
    progress: Progress,
    root: Optional[str] = None,
    longest_s: float = _LONGEST_S,
    available_mb: Optional[float] = None,
) -> Engine:
    """Builds the engines of a model, in half precision if that changes nothing that is seen.

    :param provider: what builds: `tensorrt`, ONNX Runtime's, or `native`
    :param worker: command of the child that builds for this model and look-ahead; folder, provider
        and `float16` or `float32` are appended
    :param progress: called with a line of text every few seconds
    :param root: where engines are kept
    :param available_mb: free memory; read from the system by default
    :raises UnavailableError: not enough memory, the child failed or took too long
    """
    root = root or cache_root()
    free_mb = _available_mb() if available_mb is None else available_mb
    if provider != "cpu" and free_mb < _HEADROOM_MB:
        raise UnavailableError(
            f"engine: {free_mb:.0f} MB of memory are free, {_HEADROOM_MB} are needed; "
            "boot without a desktop, or add swap"
        )
    final = os.path.join(root, engine_key(model, lookahead_ms, provider))
    temporary = f"{final}.{os.getpid()}.tmp"
    try:
        folders = {}
        for precision in ("float32", "float16"):
            folder = os.path.join(temporary, precision)
            os.makedirs(folder)
            _build([*worker, folder, provider, precision], folder, progress, longest_s)
            folders[precision] = folder
        float16, reason = choose(_frames(folders["float32"]), _frames(folders["float16"]))
        progress(f"float16: {reason}")
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


def choose(wanted: np.ndarray, got: np.ndarray) -> Tuple[bool, str]:
    """Whether half precision is good enough, and why.

    :param wanted: landmarks [T, 68, 3] in single precision
    :param got: those of the same voice in half precision
    """
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


def _build(command: List[str], folder: str, progress: Progress, longest_s: float) -> None:
    """Runs the child; UnavailableError if it fails or takes too long."""
    log_path = os.path.join(folder, "build.log")
    with open(log_path, "wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        code = _wait(child, command[-1], progress, longest_s)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if code != 0:
        with open(log_path, errors="replace") as file:
            last_line = one_line(file.read().strip().rpartition("\n")[2], -_LONGEST_REASON)
        out_of_memory = "; the system ran out of memory" if code == -signal.SIGKILL else ""
        raise UnavailableError(
            f"engine: the builder ended with {code} ({last_line}){out_of_memory}"
        )


def _wait(
    child: "subprocess.Popen[bytes]", precision: str, progress: Progress, longest_s: float
) -> int:
    """Exit status of the child."""
    began = time.monotonic()
    while True:
        try:
            return child.wait(_PROGRESS_EVERY_S)
        except subprocess.TimeoutExpired:
            passed_s = time.monotonic() - began
        if passed_s > longest_s:
            raise UnavailableError(
                f"engine: not built within {longest_s:.0f} s; see `edgeface doctor`"
            )
        progress(f"{precision}: building, {passed_s:.0f} s")


def _frames(folder: str) -> np.ndarray:
    try:
        return read_npy(os.path.join(folder, FRAMES))
    except (OSError, ValueError):
        raise DataError("engine: the builder left no frames; build again") from None


def _seal(folder: str, float16: bool, reason: str) -> None:
    """Writes the manifest, without which a folder is no engine."""
    files = {name: sha256_of(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}
    with open(os.path.join(folder, MANIFEST), "w") as file:
        json.dump({"files": files, "float16": float16, "reason": reason}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _available_mb() -> int:
    with open("/proc/meminfo") as file:
        lines = [line for line in file if line.startswith("MemAvailable")]
    return int(lines[0].split()[1]) // 1024
