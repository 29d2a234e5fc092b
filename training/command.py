"""How the training's commands end: with one line and the exit code of the contract, not a trace."""

import sys
from typing import Callable

from edgeface.core.errors import EdgefaceError


def run(main: Callable[[], None]) -> None:
    """Calls `main`; an `EdgefaceError` is printed, and ends the process with its code."""
    try:
        main()
    except EdgefaceError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
