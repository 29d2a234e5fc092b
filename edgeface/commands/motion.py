"""`edgeface motion`: sound files to files of frames."""

import argparse
import glob
import os
import secrets
import sys
from typing import Iterator, List

from ..batch.animator import Animator
from ..batch.cluster import convert_there
from ..batch.job import Job, Order, Outcome
from ..batch.jobs import jobs_of
from ..batch.ledger import Ledger
from ..batch.progress import Progress
from ..batch.workers import convert_here
from ..config import Settings
from ..core.advice import install_extra
from ..core.errors import DataError, UsageError
from ..core.stdio import STDERR, LineWriter
from ..motion.file import MOTION, SUFFIXES, save_frames, suffix_of
from .common import add_model_arguments, print_progress, settings_of

EXAMPLE = f"""examples:
  edgeface motion speech.wav -o speech.npz
  edgeface motion speech.wav -o speech.csv              as the Live Link Face app records it
  edgeface motion speech.wav -o speech.a2f.json         as Audio2Face exports it
  edgeface motion 'corpus/**/*.flac' -o faces/          many, on all cores; again: goes on
  edgeface motion 'corpus/**/*.flac' -o faces/ --format .csv --dask tcp://host:8786
A cluster needs Python packages: {install_extra("dask")}."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "audio",
        metavar="AUDIO",
        nargs="+",
        help="sound files of any rate and channel count, or patterns such as 'corpus/**/*.flac'",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE or FOLDER",
        required=True,
        help=f"file to write ({', '.join(SUFFIXES)}), or a folder, ending in a slash where it does"
        " not exist yet",
    )
    parser.add_argument(
        "--format", choices=SUFFIXES, help=f"of the files in a folder, otherwise {MOTION}"
    )
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=len(os.sched_getaffinity(0)), help="processes"
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="scheduler of a Dask cluster, which converts the files"
    )
    add_model_arguments(parser)


def execute(options: argparse.Namespace) -> None:
    """Runs the command."""
    if options.jobs < 1:
        raise UsageError(f"--jobs {options.jobs}: out of range; at least 1")
    if options.out.endswith(os.sep) or os.path.isdir(options.out):
        _many(options, settings_of(options))
        return
    suffix_of(options.out)
    path = options.audio[0]
    if len(options.audio) > 1 or (glob.has_magic(path) and not os.path.exists(path)):
        raise UsageError(f"-o {options.out}: one file for many; name a folder, ending in a slash")
    if options.format or options.dask:
        raise UsageError("--format and --dask are for folders; name one with -o, ending in a slash")
    frames, latency_ns = Animator(settings_of(options)).animate(path)
    save_frames(options.out, frames, latency_ns)


def _many(options: argparse.Namespace, settings: Settings) -> None:
    jobs = jobs_of(options.audio, options.out, options.format or MOTION)
    order = Order(settings, secrets.token_hex(8))
    ledger = Ledger(options.out)
    jobs = [job._replace(before=ledger.before(job.target)) for job in jobs]
    progress = Progress(len(jobs), LineWriter() if os.isatty(STDERR) else None)
    problems: List[str] = []
    try:
        for outcome in _outcomes(options, jobs, order):
            progress.add(outcome)
            if outcome.finished is None:
                problems.append(outcome.problem)
            elif outcome.finished != outcome.job.before:
                ledger.add(outcome.job.target, outcome.finished)
    finally:
        progress.close()
        ledger.close()
    for problem in problems:
        print_progress(f"edgeface: {problem}")
    sys.stdout.write(f"{progress.summary()}\n")
    if problems:
        raise DataError(
            f"{len(problems)} of {len(jobs)} files failed, see above; what is finished stays:"
            " repair or leave out the others, and run it again"
        )


def _outcomes(options: argparse.Namespace, jobs: List[Job], order: Order) -> Iterator[Outcome]:
    if options.dask:
        return convert_there(jobs, order, options.dask)
    return convert_here(jobs, order, options.jobs)
