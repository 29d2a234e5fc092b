"""What every web server here has: bounded requests and connections, and no foreign pages."""

import contextlib
import os
import signal
import socket
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from typing import Any, Callable, Iterable, Optional, Tuple, Type

from ..core.errors import one_line
from ..core.text import printable
from .access import Access
from .connections import Connections
from .counts import Counts
from .requests import BoundedRequests

_FIRST_INHERITED = 3  # SD_LISTEN_FDS_START
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_IDLE_S = 0.5
_SILENCE_S = 5.0  # of a client that neither sends nor takes anything
_LONGEST_REASON = 100  # characters of a foreign header

_Headers = Iterable[Tuple[str, str]]


class HttpHandler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_S
    disable_nagle_algorithm = True  # a frame does not wait until the one before it has arrived
    server: "HttpServer"

    def setup(self) -> None:
        """Bounds what a client may send."""
        super().setup()
        self.rfile: Any = BoundedRequests(self.rfile)

    def handle_one_request(self) -> None:
        """Answers a request."""
        self.rfile.begin()
        super().handle_one_request()

    def do_GET(self) -> None:
        """Answers a request, unless a foreign page makes it."""
        self.answer_own(self.answer)

    def answer(self) -> None:
        """Answers a GET request."""
        self.send_error(404)

    def answer_own(self, answer: Callable[[], object]) -> None:
        """Calls `answer`, unless a foreign page makes the request."""
        with self.server.connections.answering(self.request):
            if self.server.access.answers(self.headers):
                answer()
            else:
                self.refuse("Host")  # a foreign name that resolves to this machine

    def refuse(self, header: str) -> None:
        """Answers with 403, for what this header says."""
        foreign = printable(self.headers.get(header, "")[:_LONGEST_REASON])
        self.server.counts.refuse(f"a page was refused for {header}: {foreign}")
        self.send_error(403)

    def send(self, body: bytes, kind: str, code: int = 200, headers: _Headers = ()) -> None:
        """Sends a whole answer, with further headers."""
        self.begin(len(body), kind, code, headers)
        self.wfile.write(body)

    def begin(self, length: int, kind: str, code: int = 200, headers: _Headers = ()) -> None:
        """Sends what comes before a body of so many bytes."""
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keeps the terminal quiet."""


class HttpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves with a thread per connection, at an address or at systemd's socket.

    :param host: where to listen: an address of this machine, or its name
    :param port: 0 for any that is free
    :param access: whose requests are answered
    :param handler: answers them
    :raises OSError: the address or the port cannot be had
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024  # of a flood of them, the one that means it waits its turn

    def __init__(self, host: str, port: int, access: Access, handler: Type[HttpHandler]) -> None:
        self.access = access
        self.connections = Connections()
        self.counts = Counts()
        inherited = _inherited_socket()
        if inherited is None:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self.address_family, _, _, _, address = found[0]
            super().__init__((str(address[0]), int(address[1])), handler)
        else:
            super().__init__(inherited.getsockname()[:2], handler, bind_and_activate=False)
            self.socket.close()
            self.socket = inherited
            self.server_address = inherited.getsockname()

    @property
    def url(self) -> str:
        """Address of the server."""
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}/"

    def serve_until_stopped(self) -> None:
        """Serves until SIGTERM or Ctrl-C."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            self.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            self.server_close()

    def serve_until(self, stopped: Callable[[], bool], worked: Callable[[], object]) -> None:
        """Serves until it is stopped, and closes.

        :param stopped: asked twice a second
        :param worked: called as often
        """
        self.timeout = _IDLE_S
        try:
            while not stopped():
                self.handle_request()
                self.service_actions()
                worked()
        finally:
            self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts a thread for a connection, if there is a place for it."""
        if self.connections.add(request):
            super().process_request(request, client_address)
            return
        self.counts.refuse("there are too many clients")
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
            sys.stderr.write(f"edgeface: web: {type(error).__name__}: {one_line(error)}\n")


def _inherited_socket() -> Optional[socket.socket]:
    """The socket that systemd listens at for this process, see sd_listen_fds(3); None elsewhere."""
    mine = os.environ.get("LISTEN_PID") == str(os.getpid())
    if not mine or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=_FIRST_INHERITED)


def hang_up_on_waiting() -> None:
    """Ends the connections at systemd's socket, which would start a server that failed again."""
    waiting = _inherited_socket()
    if waiting is None:
        return
    waiting.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            waiting.accept()[0].close()
