"""`cmd:COMMAND`: a program that writes raw sound or WAV to its standard output."""

import shlex
from typing import Optional

from ..core.errors import UnavailableError
from .base import BLOCK_SAMPLES, Block, Source
from .complaints import Budget
from .pcm import Pcm
from .program import Program


class CommandSource(Source):
    """Runs a program, without a shell, and reads it; lost when the program ends or hangs.

    :param command: the command line
    :param pcm: what raw sound is
    """

    live = True
    pauses = True
    playback = True
    longest_pause_s = 30.0

    def __init__(self, command: str, pcm: Pcm = Pcm()) -> None:
        super().__init__(f"cmd:{command}")
        self._command = command
        self._pcm = pcm
        self._program: Optional[Program] = None
        self._budget = Budget(self.name)
        self._restarted = False  # since it seemed to hang
        self._may_pause = False  # it was taken for a recorder, and is none

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
        recorder = False if self._may_pause else None
        self._program = Program(self.name, arguments, self._budget, recorder, self._pcm)

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Block:
        """The next block, or `base.EMPTY`.

        :raises SourceLost: the program ended, hangs, or writes encoded sound
        """
        assert self._program is not None, "open it first"
        if self._restarted and self._program.is_late():
            # a recorder would have begun at once: this is a voice that has nothing to say
            self._may_pause = True
        return self._program.read(timeout_s, samples)

    def close(self) -> None:
        """Ends the program."""
        if self._program is not None:
            self._restarted = self._program.hung
            self._program.close()
            self._program = None
