"""Requests of a bounded size."""

from http.client import LineTooLong
from typing import Any

_LONGEST_REQUEST = 16384  # bytes


class BoundedRequests:
    """Reads one request after the other from a connection.

    :param file: of the connection
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = _LONGEST_REQUEST

    def begin(self) -> None:
        """The next request may be as long as the first one."""
        self._left = _LONGEST_REQUEST

    def readline(self, size: int = -1) -> bytes:
        """A line, or what the request's size leaves of it.

        :raises LineTooLong: nothing is left
        """
        if not self._left:
            raise LineTooLong("request")
        line: bytes = self._file.readline(self._left if size < 0 else min(size, self._left))
        self._left -= len(line)
        return line

    def read(self, size: int) -> bytes:
        """A body of so many bytes, which the caller has bounded."""
        body: bytes = self._file.read(size)
        return body

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
