"""One file of many: what is to be done, doing it, and what came of it."""

import dataclasses
import hashlib
import json
import os
import threading
from typing import NamedTuple, Optional, Sequence

from .. import __version__
from ..config import Settings
from ..core.errors import DataError, MissingInputError, UnavailableError, one_line
from ..core.files import sha256_of
from ..core.rates import FRAME_RATE_HZ
from ..model.model import Model
from ..motion.file import save_frames
from ..motion.frame import Frame
from .animator import Animator

MADE = "made"
KEPT = "kept"  # from an earlier run
FAILED = "failed"


class Finished(NamedTuple):
    """A whole file of frames. `made_of`: a hash of what it depends on; `sha256`: of its content."""

    made_of: str
    sha256: str


class Job(NamedTuple):
    """A file to convert. `target`: the file of frames; `before`: what an earlier run left there."""

    source: str
    target: str
    before: Optional[Finished] = None


class Order(NamedTuple):
    """What all jobs of a run have in common. `run`: a name that no other run has."""

    settings: Settings
    run: str


class Outcome(NamedTuple):
    """What came of a job.

    `state`: `MADE`, `KEPT` or `FAILED`; `finished`: None where it failed, and `problem` says why;
    `sound_s`: seconds of sound that were converted.
    """

    job: Job
    state: str
    finished: Optional[Finished] = None
    problem: str = ""
    sound_s: float = 0.0


_opened = threading.local()  # a cluster's worker may have several threads, and no model takes two


def convert(job: Job, order: Order) -> Outcome:
    """Converts a file, unless it is done already; runs in any process of any machine.

    What is wrong with the file itself is an outcome.

    :raises EdgefaceError: no file can be converted: bundle, provider or target are not to be had
    """
    animator = _animator(order)
    try:
        made_of = _made_of(job.source, order.settings, animator.model)
        if job.before is not None and job.before == (made_of, _sha256(job.target)):
            return Outcome(job, KEPT, job.before)
        frames, latency_ns = animator.animate(job.source)
    except (DataError, MissingInputError) as error:
        return Outcome(job, FAILED, problem=str(error))
    except Exception as error:  # one strange file must not end a night's work
        reason = f"internal error: {type(error).__name__}: {one_line(error)}"
        return Outcome(job, FAILED, problem=f"{job.source}: {reason}; report it")
    finished = Finished(made_of, _save(job.target, frames, latency_ns))
    return Outcome(job, MADE, finished, sound_s=len(frames) / FRAME_RATE_HZ)


def _save(target: str, frames: Sequence[Frame], latency_ns: int) -> str:
    """Writes the frames, and the folders above them; returns the file's SHA-256."""
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        save_frames(target, frames, latency_ns)
        return sha256_of(target)
    except OSError as error:
        reason = error.strerror or error
        raise UnavailableError(f"{target}: {reason}; choose another folder") from None


def _animator(order: Order) -> Animator:
    """The model of this run, opened once."""
    if getattr(_opened, "run", None) != order.run:
        _opened.animator = Animator(order.settings)
        _opened.run = order.run
    return _opened.animator


def _made_of(source: str, settings: Settings, model: Model) -> str:
    """A hash that differs where the frames may: of release, model, settings and sound file."""
    try:
        status = os.stat(source)
    except OSError as error:
        raise MissingInputError(f"{source}: {error.strerror}; check the path") from None
    parts = [
        __version__,
        model.crc32,
        model.files,
        dataclasses.asdict(settings.motion),
        status.st_size,
        status.st_mtime_ns,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sha256(path: str) -> str:
    """SHA-256 of a file's content; empty where it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""
