"""Serves the page and its frames on 127.0.0.1."""

import json
import os
from typing import List

from ..core.errors import UnavailableError
from ..web.access import Access
from ..web.server import Handler, Server

_HOST = "127.0.0.1"
_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/face.js": ("face.js", "text/javascript"),
    "/page.js": ("page.js", "text/javascript"),
}


class PageServer(Server):
    """Serves the page.

    :param port: on 127.0.0.1; 0 for any that is free
    :param shm: name of the segment
    :param neutral: resting face, 68 lists of 3, shown while there is no writer
    :raises UnavailableError: the port is taken
    """

    def __init__(self, port: int, shm: str, neutral: List[List[float]]):
        self.neutral = neutral
        try:
            super().__init__(_HOST, port, shm, Access(_HOST), _PageHandler)
        except OSError as error:
            raise UnavailableError(
                f"port {port} on {_HOST}: {error.strerror}; choose another --port"
            ) from None


class _PageHandler(Handler):
    server: PageServer

    def answer(self) -> None:
        """Page, or neutral face."""
        if self.path in _FILES:
            name, kind = _FILES[self.path]
            with open(os.path.join(_FOLDER, name), "rb") as file:
                self._send(file.read(), kind)
        elif self.path == "/neutral":
            self._send(json.dumps(self.server.neutral).encode(), "application/json")
        else:
            super().answer()

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
