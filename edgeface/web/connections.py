"""A bounded number of connections, none of which can shut the others out."""

import contextlib
import socket
import threading
import time
from typing import Dict, Iterator, List

_MOST = 40  # a thread each; the page's unit allows 64 tasks
_REQUEST_S = 5.0  # for a request to arrive, from its first byte or the last answer on


class Connections:
    """Knows which connections wait for a request: those may be closed to make room for others."""

    def __init__(self, most: int = _MOST, request_s: float = _REQUEST_S) -> None:
        self._most = most
        self._request_s = request_s
        self._lock = threading.Lock()
        # when each began to wait for a request; infinite while one is answered
        self._since_s: Dict[socket.socket, float] = {}

    def add(self, connection: socket.socket) -> bool:
        """Counts a new one; False where all places are taken by clients that are answered."""
        with self._lock:
            while len(self._since_s) >= self._most:
                oldest = min(self._since_s, key=lambda other: self._since_s[other])
                if self._since_s[oldest] == float("inf"):
                    return False
                self._hang_up([oldest])
            self._since_s[connection] = time.monotonic()
            return True

    def remove(self, connection: socket.socket) -> None:
        """Forgets one that has ended."""
        with self._lock:
            self._since_s.pop(connection, None)

    @contextlib.contextmanager
    def answering(self, connection: socket.socket) -> Iterator[None]:
        """Keeps one from being closed while the block runs."""
        self._mark(connection, float("inf"))
        try:
            yield
        finally:
            self._mark(connection, time.monotonic())

    def close_overdue(self) -> None:
        """Ends those whose request did not arrive in time."""
        with self._lock:
            limit_s = time.monotonic() - self._request_s
            self._hang_up([other for other, since_s in self._since_s.items() if since_s < limit_s])

    def _mark(self, connection: socket.socket, since_s: float) -> None:
        with self._lock:
            if connection in self._since_s:
                self._since_s[connection] = since_s

    def _hang_up(self, connections: List[socket.socket]) -> None:
        for connection in connections:
            del self._since_s[connection]
            with contextlib.suppress(OSError):  # its thread wakes up, and closes it
                connection.shutdown(socket.SHUT_RDWR)
