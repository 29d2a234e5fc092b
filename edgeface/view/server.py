"""Serves the page and a stream of frames (server-sent events) on 127.0.0.1."""

import contextlib
import json
import os
import socket
import socketserver
import sys
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, List, Optional

from ..core.errors import UnavailableError, one_line
from .connections import Connections
from .frames import Frames

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/face.js": ("face.js", "text/javascript"),
    "/page.js": ("page.js", "text/javascript"),
}
_FIRST_INHERITED = 3  # SD_LISTEN_FDS_START
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_SILENCE_S = 5.0  # of a client that neither sends nor takes anything
_LONGEST_REQUEST = 16384  # bytes
_LOCAL_HOSTS = ("127.0.0.1", "localhost")


class Server(socketserver.ThreadingMixIn, HTTPServer):
    """Serves the page, with a thread per connection.

    :param port: on 127.0.0.1; 0 for any that is free
    :param shm: name of the segment
    :param neutral: resting face, 68 lists of 3, shown while there is no writer
    :raises UnavailableError: the port is taken
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, shm: str, neutral: List[List[float]]):
        self.neutral = neutral
        inherited = _inherited_socket()
        self.frames = Frames(shm)
        self.connections = Connections()
        try:
            super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=inherited is None)
        except OSError as error:
            raise UnavailableError(
                f"port {port} on 127.0.0.1: {error.strerror}; choose another --port"
            ) from None
        if inherited is not None:
            self.socket.close()
            self.socket = inherited
            self.server_address = inherited.getsockname()

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts a thread for a connection, if there is a place for it."""
        if self.connections.add(request):
            super().process_request(request, client_address)
            return
        request.setblocking(False)
        with contextlib.suppress(OSError):
            request.sendall(_FULL)
        self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection."""
        self.connections.remove(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Looks after the connections twice a second."""
        self.connections.close_overdue()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says in one line what went wrong; a client that left is nothing to say anything about."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # ConnectionError and timeouts are OSErrors
            sys.stderr.write(f"edgeface: page: {type(error).__name__}: {one_line(error)}\n")


class _Request:
    """Reads one request after the other, each of a bounded size.

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

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _inherited_socket() -> Optional[socket.socket]:
    """The socket that systemd listens at for this process, see sd_listen_fds(3); None elsewhere."""
    mine = os.environ.get("LISTEN_PID") == str(os.getpid())
    if not mine or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=_FIRST_INHERITED)


def hang_up_on_waiting() -> None:
    """Ends the connections at systemd's socket; it would start a page that failed for them again."""
    waiting = _inherited_socket()
    if waiting is None:
        return
    waiting.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            waiting.accept()[0].close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_S
    server: Server

    def setup(self) -> None:
        """Bounds what a client may send."""
        super().setup()
        self.rfile: Any = _Request(self.rfile)

    def handle_one_request(self) -> None:
        """Answers a request."""
        self.rfile.begin()
        super().handle_one_request()

    def do_GET(self) -> None:
        """Page, neutral face or frames."""
        with self.server.connections.answering(self.request):
            self._answer()

    def _answer(self) -> None:
        if self.headers.get("Host", "").partition(":")[0] not in _LOCAL_HOSTS:
            self.send_error(403)  # a foreign name that resolves to this machine
        elif self.path in _FILES:
            name, kind = _FILES[self.path]
            with open(os.path.join(_FOLDER, name), "rb") as file:
                self._send(file.read(), kind)
        elif self.path == "/neutral":
            self._send(json.dumps(self.server.neutral).encode(), "application/json")
        elif self.path == "/frames":
            self._stream()
        else:
            self.send_error(404)

    def log_message(self, *_: Any) -> None:
        """Keeps the terminal quiet."""

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        frames = self.server.frames
        with frames.client():
            number = frames.newest
            while True:
                number, event = frames.after(number)
                self.wfile.write(event)
