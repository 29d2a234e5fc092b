"""How the training's commands end: with one line and the exit code of the contract, not a trace."""

import signal
import sys
from types import FrameType
from typing import Callable, Optional

from edgeface.core.errors import EdgefaceError


def run(main: Callable[[], None]) -> None:
    """Calls `main`; an `EdgefaceError` is printed, and ends the process with its code.

    A SIGTERM ends it so that files that are half written are removed.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        main()
    except EdgefaceError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _end(number: int, frame: Optional[FrameType]) -> None:
    sys.exit(128 + number)
