"""`cmd:COMMAND`: a program that writes raw sound to its standard output."""

import shlex
from typing import Optional

from ..core.errors import UnavailableError
from .base import Block, Source
from .program import Program


class CommandSource(Source):
    """Runs a program, without a shell, and reads it; lost when the program ends.

    :param command: the command line
    """

    live = True
    pauses = True
    playback = True

    def __init__(self, command: str) -> None:
        super().__init__(f"cmd:{command}")
        self._command = command
        self._program: Optional[Program] = None

    def open(self) -> None:
        """Starts the program.

        :raises UnavailableError: it cannot be started
        """
        try:
            arguments = shlex.split(self._command)
        except ValueError as error:
            raise UnavailableError(f"{self.name}: {error}; check the command line") from None
        if not arguments:
            raise UnavailableError(f"{self.name}: names no program; check the command line")
        self._program = Program(self.name, arguments)

    def read(self, timeout_s: float) -> Block:
        """The next block, or `base.EMPTY`.

        :raises SourceLost: the program ended
        """
        assert self._program is not None, "open it first"
        return self._program.read(timeout_s)

    def close(self) -> None:
        """Ends the program."""
        if self._program is not None:
            self._program.close()
            self._program = None
