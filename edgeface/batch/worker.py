"""A child that converts files: pickled jobs with their orders come in, outcomes go out.

`workers` is its parent. It ends with its input, and at once on SIGTERM; a file that is not whole
yet is removed then.
"""

import os
import pickle
import signal
import sys
from typing import Union

from ..core.errors import EdgefaceError
from ..core.files import remove_unfinished
from .job import Job, Order, Outcome, convert


def main() -> None:
    """Works until there is no more to do."""
    outcomes = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no outcome
    signal.signal(signal.SIGTERM, _leave)
    try:
        while True:
            job, order = pickle.load(sys.stdin.buffer)
            pickle.dump(_answer(job, order), outcomes)
            outcomes.flush()
    except (EOFError, BrokenPipeError):
        os._exit(0)


def _leave(_signal: int, _frame: object) -> None:
    """Ends here and now: an exception might be raised, and lost, in a library's callback."""
    remove_unfinished()
    os._exit(0)


def _answer(job: Job, order: Order) -> Union[Outcome, EdgefaceError]:
    try:
        return convert(job, order)
    except EdgefaceError as error:
        return error


if __name__ == "__main__":
    main()
