"""Listening sockets: in the file system, and of TCP."""

import os
import select
import socket
import stat
from typing import Optional, Tuple

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import SECOND_NS

_BACKLOG = 32
_CHECK_NS = SECOND_NS
_UNREAD_BYTES = 65536


class Listener:
    """Listens for writers.

    :param listening: socket, not listening yet
    """

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening

    def fileno(self) -> int:
        """The descriptor, to wait for connections."""
        return self._socket.fileno()

    def is_awaited(self) -> bool:
        """Whether somebody waits to be connected."""
        poll = select.poll()
        poll.register(self, select.POLLIN)
        return bool(poll.poll(0))

    def accept(self) -> Optional[socket.socket]:
        """The next connection, not blocking; None when there is none now.

        :raises OSError: there are too many open files
        """
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        connection.setblocking(False)
        return connection

    def is_deleted(self) -> bool:
        """Whether its address leads elsewhere by now."""
        return False

    def close(self) -> None:
        """Stops listening."""
        self._socket.close()

    def _start(self) -> None:
        self._socket.listen(_BACKLOG)
        self._socket.setblocking(False)


class UnixListener(Listener):
    """Listens at a path for processes of this user and group.

    :param name: how messages name it
    :param path: where the socket is
    :raises UnavailableError: the path is taken or cannot be written
    """

    def __init__(self, name: str, path: str) -> None:
        super().__init__(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC))
        self._path = path
        self._identity: Optional[Tuple[int, int]] = None
        self._checked_ns = monotonic_ns()
        try:
            if _is_abandoned(path):
                os.unlink(path)
            self._socket.bind(path)
            self._identity = _identity(path)
            os.chmod(path, 0o660)
            self._start()
        except (OSError, ValueError) as error:
            self.close()
            reason = getattr(error, "strerror", None) or error
            raise UnavailableError(
                f"{name}: {reason};"
                " choose a path that the service can write and no other program listens at"
            ) from None

    def is_deleted(self) -> bool:
        """Whether the socket's file was deleted or replaced; looks once a second."""
        now = monotonic_ns()
        if now - self._checked_ns < _CHECK_NS:
            return False
        self._checked_ns = now
        return _identity(self._path) != self._identity

    def close(self) -> None:
        """Stops listening and removes the socket's file, if it is still this one."""
        super().close()
        if self._identity is None or _identity(self._path) != self._identity:
            return
        try:
            os.unlink(self._path)
        except OSError:
            pass  # somebody else was faster


class TcpListener(Listener):
    """Listens at an address for whoever can reach it.

    :param name: how messages name it
    :param host: a name or an address of this machine
    :raises UnavailableError: there is no such host here, or the port is taken
    """

    def __init__(self, name: str, host: str, port: int) -> None:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )[0]
            super().__init__(socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol))
        except OSError as error:  # gaierror is one
            raise UnavailableError(f"{name}: {error.strerror}; check the host") from None
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # what one side does not read makes the other wait, as at a socket in the file system
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _UNREAD_BYTES)
            self._socket.bind(address)
            self._start()
        except OSError as error:
            self.close()
            raise UnavailableError(
                f"{name}: {error.strerror}; choose an address of this machine and a port at which"
                " no other program listens"
            ) from None


def _identity(path: str) -> Optional[Tuple[int, int]]:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_abandoned(path: str) -> bool:
    """Whether there is a socket at which nobody listens any more."""
    if not os.path.exists(path) or not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    probe.setblocking(False)
    try:
        probe.connect(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    finally:
        probe.close()
    return False
