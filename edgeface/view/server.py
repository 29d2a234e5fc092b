"""Serves the page and a stream of frames (server-sent events) on 127.0.0.1."""

import json
import os
import socket
import socketserver
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Dict, List, Optional

from ..core.errors import UnavailableError
from ..core.rates import MS_NS
from ..shm.layout import state_name
from ..shm.reader import Reader, ReadFrame

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/face.js": ("face.js", "text/javascript"),
    "/page.js": ("page.js", "text/javascript"),
}
_FIRST_INHERITED = 3  # SD_LISTEN_FDS_START
_KEEP_ALIVE_S = 1.0  # a browser that left is noticed at the next write
_POLL_S = 0.004
_LOCAL_HOSTS = ("127.0.0.1", "localhost")


class Server(socketserver.ThreadingMixIn, HTTPServer):
    """Serves the page, with a thread per connection.

    :param port: on 127.0.0.1; 0 for any that is free
    :param shm: name of the segment
    :param neutral: resting face, 68 lists of 3, shown while there is no writer
    :raises UnavailableError: the port is taken
    """

    daemon_threads = True

    def __init__(self, port: int, shm: str, neutral: List[List[float]]):
        self.shm = shm
        self.neutral = neutral
        inherited = _inherited_socket()
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


def _inherited_socket() -> Optional[socket.socket]:
    """The socket that systemd listens at for this process, see sd_listen_fds(3); None elsewhere."""
    mine = os.environ.get("LISTEN_PID") == str(os.getpid())
    if not mine or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=_FIRST_INHERITED)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Page, neutral face or frames."""
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
        try:
            with Reader(self.server.shm) as reader:
                self._copy(reader)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the browser left

    def _copy(self, reader: Reader) -> None:
        """Sends every new frame; `null` once a second while there is no writer."""
        seen = None
        sent_s = 0.0
        while True:
            frame = reader.read()
            if frame is not None and (frame.index, frame.publish_ns) != seen:
                seen = (frame.index, frame.publish_ns)
                sent_s = time.monotonic()
                self._event(_message(frame, reader.header()))
            elif frame is None and time.monotonic() - sent_s > _KEEP_ALIVE_S:
                sent_s = time.monotonic()
                self._event(None)
            time.sleep(_POLL_S)

    def _event(self, message: Optional[Dict[str, Any]]) -> None:
        self.wfile.write(f"data: {json.dumps(message, separators=(',', ':'))}\n\n".encode())
        self.wfile.flush()


def _message(frame: ReadFrame, header: Optional[Dict[str, int]]) -> Dict[str, Any]:
    latency_ns = frame.publish_ns - frame.audio_ns
    return {
        "index": frame.index,
        "flags": frame.flags,
        "level": round(frame.rms_dbfs, 1),
        "latency": round(latency_ns / MS_NS, 1),
        "state": state_name(header["state"]) if header else "gone",
        "landmarks": [[round(float(v), 4) for v in point] for point in frame.landmarks],
    }
