"""`fifo:PATH`: a named pipe into which any program writes raw sound."""

import os
import stat
from typing import Optional

from ..core.errors import UnavailableError
from .base import Block, Source
from .raw import RawReader


class FifoSource(Source):
    """Reads a named pipe, which is created if it does not exist; writers come and go.

    :param path: where the pipe is
    """

    live = True
    pauses = True
    listens = True
    playback = True

    def __init__(self, path: str) -> None:
        super().__init__(f"fifo:{path}")
        self._path = path
        self._file: Optional[int] = None
        self._reader: Optional[RawReader] = None

    def open(self) -> None:
        """Creates and opens the pipe.

        :raises UnavailableError: it cannot be, or something else is in its place
        """
        try:
            if not os.path.exists(self._path):
                os.mkfifo(self._path, 0o660)
            if not stat.S_ISFIFO(os.stat(self._path).st_mode):
                raise UnavailableError(
                    f"{self.name}: not a named pipe; remove it or choose another path"
                )
            # for writing as well: the end of one writer is not the end of the sound
            self._file = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise UnavailableError(
                f"{self.name}: {error.strerror}; choose a path that the service can write"
            ) from None
        self._reader = RawReader(self._file, playback=self.playback, many_writers=True)

    def read(self, timeout_s: float) -> Optional[Block]:
        """The next block, or `base.EMPTY`."""
        assert self._reader is not None, "open it first"
        return self._reader.read(timeout_s)

    def close(self) -> None:
        """Closes the pipe; it stays where it is, for the next start."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
