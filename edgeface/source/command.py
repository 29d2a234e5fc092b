"""`cmd:COMMAND`: a program that writes raw sound to its standard output."""

import os
import shlex
import signal
import subprocess

from ..core.errors import UnavailableError
from .block import SourceLost
from .pipe import PipeSource


class CommandSource(PipeSource):
    """Runs a program, without a shell, and reads it; lost when it ends.

    :param command: the command line
    """

    live = True
    playback = True

    def __init__(self, command, name=None):
        super().__init__(-1)
        self.name = name or f"cmd:{command}"
        self._command = command
        self._child = None

    def open(self):
        """Starts the program.

        :raises UnavailableError: it cannot be started
        """
        try:
            # in a session of its own, so that what it starts ends with it
            self._child = subprocess.Popen(
                shlex.split(self._command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise UnavailableError(
                f"{self.name}: {getattr(error, 'strerror', None) or error}; check the command line"
            ) from None
        self.attach(self._child.stdout.fileno())

    def read(self, timeout_s):
        """As `PipeSource.read`.

        :raises SourceLost: the program ended
        """
        block = super().read(timeout_s)
        if block is None:
            raise SourceLost(f"{self.name}: ended")
        return block

    def close(self):
        """Ends the program."""
        child, self._child = self._child, None
        if child is None:
            return
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        child.stdout.close()
