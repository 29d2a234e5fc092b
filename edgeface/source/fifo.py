"""`fifo:PATH`: a named pipe into which any program writes raw sound or WAV."""

import contextlib
import logging
import os
import stat
from typing import Optional

from ..core.clock import monotonic_ns
from ..core.errors import DataError, UnavailableError
from ..core.rates import SECOND_NS
from .base import BLOCK_SAMPLES, EMPTY, Block, Source, SourceLost
from .pcm import Pcm
from .raw import RawReader
from .writers import Writers

_LOG = logging.getLogger(__name__)
_CHECK_NS = SECOND_NS
_QUIET_NS = 60 * SECOND_NS  # one event at most in so long
_MODE = 0o660
_OLD_MODE = 0o640  # as releases before 0.2.0 left their pipes under the service's umask
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class FifoSource(Source):
    """Reads a named pipe, which is created if it does not exist; writers come and go.

    :param path: where the pipe is
    :param pcm: what raw sound is
    """

    live = True
    pauses = True
    listens = True
    playback = True

    def __init__(self, path: str, pcm: Pcm = Pcm()) -> None:
        super().__init__(f"fifo:{path}")
        self._path = path
        self._pcm = pcm
        self._quiet_until_ns = 0
        self._file = -1
        self._reader: Optional[RawReader] = None
        self._writers: Optional[Writers] = None
        self._checked_ns = 0

    def open(self) -> None:
        """Creates and opens the pipe.

        :raises UnavailableError: it cannot be, or something else is in its place
        """
        try:
            created = not os.path.exists(self._path)
            if created:
                os.mkfifo(self._path, _MODE)
            if not stat.S_ISFIFO(os.stat(self._path).st_mode):
                raise UnavailableError(
                    f"{self.name}: not a named pipe; remove it or choose another path"
                )
            # not for writing as well: the end of the last writer must be noticed
            self._file = os.open(self._path, _FLAGS)
            if created:
                os.fchmod(self._file, _MODE)  # the group writes into it, whatever the umask is
            else:
                self._renew_permissions()
        except OSError as error:
            raise UnavailableError(
                f"{self.name}: {error.strerror}; choose a path that the service can write"
            ) from None
        self._writers = Writers(self._file)
        self._reader = RawReader(
            self._file, playback=True, writers=self._writers, name=self.name, pcm=self._pcm
        )

    def _renew_permissions(self) -> None:
        """Gives an earlier release's pipe the group and mode that it would be made with now."""
        status = os.fstat(self._file)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != _OLD_MODE:
            return
        folder = os.stat(os.path.dirname(os.path.abspath(self._path)))
        with contextlib.suppress(PermissionError):  # then it stays as it was
            if folder.st_mode & stat.S_ISGID:
                os.fchown(self._file, -1, folder.st_gid)
            os.fchmod(self._file, _MODE)

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Optional[Block]:
        """The next block, or `base.EMPTY`.

        :raises SourceLost: the pipe was deleted or replaced
        """
        assert self._reader is not None, "open it first"
        self._check()
        try:
            block = self._reader.read(timeout_s, samples)
        except BlockingIOError:
            return EMPTY  # the last writer went, and the next one has come
        except DataError as error:
            self._report(error)
            return EMPTY
        if block is None:
            self._await_next_writer(self._reader)
            return EMPTY
        return block

    def _report(self, error: DataError) -> None:
        """Says why a writer is not heard."""
        now = monotonic_ns()
        if now >= self._quiet_until_ns:
            text = f"{error}; what its writer sends is passed over"
            _LOG.warning("%s", text, extra={"event": "voice_refused"})
            self._quiet_until_ns = now + _QUIET_NS

    def _check(self) -> None:
        """Looks once a second whether the pipe is still the one that writers find."""
        now = monotonic_ns()
        if now - self._checked_ns < _CHECK_NS:
            return
        self._checked_ns = now
        try:
            found = os.stat(self._path)
        except OSError:
            found = None
        if found is None or not os.path.samestat(found, os.fstat(self._file)):
            raise SourceLost(f"{self.name}: the pipe was deleted or replaced")

    def _await_next_writer(self, reader: RawReader) -> None:
        """Opens the same pipe once more: the end is reported again only after another writer."""
        ended = self._file
        self._file = os.open(f"/proc/self/fd/{ended}", _FLAGS)
        os.close(ended)  # now, so that what is written in between is not lost
        reader.follow(self._file)

    def close(self) -> None:
        """Closes the pipe; it stays where it is, for the next start."""
        if self._writers is not None:
            self._writers.close()
            self._writers = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
