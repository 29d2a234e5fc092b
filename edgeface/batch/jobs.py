"""Which sound files are meant, and where the frames of each go."""

import glob
import os
from collections import Counter
from typing import Dict, Iterator, List, Sequence, Tuple

from ..core.errors import MissingInputError, UsageError
from .job import Job


def jobs_of(arguments: Sequence[str], folder: str, suffix: str) -> List[Job]:
    """A job for each file; the tree below `folder` is that of the sound files.

    :param arguments: files, and patterns with `*`, `**`, `?` and `[...]`, whose tree begins before
        the first of these; that of files begins where all of them lie
    :param suffix: of the files of frames
    :raises MissingInputError: nothing fits a pattern
    :raises UsageError: the frames of two files would go to the same place
    """
    sources = dict(_sources(arguments))
    stems = {source: os.path.splitext(place)[0] for source, place in sources.items()}
    count = Counter(stems.values())
    jobs: Dict[str, Job] = {}
    for source, place in sources.items():
        # a.wav beside a.flac
        name = stems[source] if count[stems[source]] == 1 else place
        target = os.path.join(folder, name + suffix)
        if target in jobs:
            raise UsageError(
                f"{source}: its frames would go to {target}, as those of {jobs[target].source};"
                " choose another folder for one of them"
            )
        jobs[target] = Job(source, target)
    return list(jobs.values())


def _sources(arguments: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """Sound files, and the place of each in its tree."""
    files = [argument for argument in arguments if not _is_pattern(argument)]
    root = os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in files] or ["/"])
    for file in files:
        yield file, os.path.relpath(os.path.abspath(file), root)
    for pattern in arguments:
        if not _is_pattern(pattern):
            continue
        found = [path for path in glob.iglob(pattern, recursive=True) if os.path.isfile(path)]
        if not found:
            raise MissingInputError(f"{pattern}: no file fits; check the pattern")
        root = _root(pattern)
        for path in sorted(found):
            yield path, os.path.relpath(path, root)


def _is_pattern(argument: str) -> bool:
    return glob.has_magic(argument) and not os.path.exists(argument)


def _root(pattern: str) -> str:
    """The folder before the first wildcard."""
    while glob.has_magic(pattern):
        pattern = os.path.dirname(pattern)
    return pattern or os.curdir
