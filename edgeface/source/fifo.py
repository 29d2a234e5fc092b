"""`fifo:PATH`: a named pipe into which any program writes raw sound."""

import os
import stat

from ..core.errors import UnavailableError
from .pipe import PipeSource


class FifoSource(PipeSource):
    """Reads a named pipe, which is created where it does not exist; writers come and go.

    :param path: its place
    """

    live = True
    playback = True

    def __init__(self, path):
        super().__init__(-1)
        self.name = f"fifo:{path}"
        self._path = path

    def open(self):
        """Creates and opens the pipe.

        :raises UnavailableError: it cannot be, or something else is in its place
        """
        try:
            if not os.path.exists(self._path):
                os.mkfifo(self._path, 0o660)
            if not stat.S_ISFIFO(os.stat(self._path).st_mode):
                raise UnavailableError(
                    f"{self.name}: not a named pipe; remove it or choose another place"
                )
            # for writing as well: the end of one writer is not the end of the sound
            self.attach(os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            raise UnavailableError(
                f"{self.name}: {error.strerror}; choose a place that the service can write"
            ) from None

    def close(self):
        """Closes the pipe; its name stays, for the next start."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _restart(self):
        super()._restart()
        self._rest = b""  # half a sample of a writer that died
