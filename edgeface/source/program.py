"""A child process that writes raw sound to its standard output."""

import logging
import os
import subprocess
import uuid
from typing import Sequence

from ..core.errors import UnavailableError
from .base import Block, SourceLost
from .descendants import MARK, end_all
from .raw import RawReader

_LOG = logging.getLogger(__name__)
_END_S = 1.0  # how long to wait for a program that is killed


class Program:
    """Starts a program, without a shell, and reads what it writes.

    :param name: what messages name
    :param arguments: the program and its arguments
    :raises UnavailableError: it cannot be started
    """

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        self._name = name
        self._mark = uuid.uuid4().hex
        try:
            # in a session of its own, so that whatever it starts ends with it
            self._child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                start_new_session=True,
                env=dict(os.environ, **{MARK: self._mark}),
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UnavailableError(f"{name}: {reason}; check the command line") from None
        assert self._child.stdout is not None
        self._reader = RawReader(self._child.stdout.fileno(), playback=True)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def read(self, timeout_s: float) -> Block:
        """The next block, or `base.EMPTY`.

        :raises SourceLost: the program ended
        """
        block = self._reader.read(timeout_s)
        if block is None:
            raise SourceLost(f"{self._name}: ended")
        return block

    def close(self) -> None:
        """Kills the program and whatever it started; never fails, and takes a second at most."""
        left = end_all(self._child.pid, self._mark, _END_S)
        if left:
            _LOG.warning(
                "%s: process %s cannot be ended; it may belong to another user",
                self._name,
                ", ".join(map(str, left)),
            )
        self._child.poll()
        assert self._child.stdout is not None
        self._child.stdout.close()
