"""Serves the calibration page to its owner: 127.0.0.1, and nobody who does not know the token."""

import hmac
import json
import os
import secrets
from dataclasses import fields
from typing import Any, Dict, Optional

import numpy as np

from ..config import INSTALLED, Motion, Shape, parse_settings
from ..config.editor import save_calibration, with_calibration
from ..core.errors import ConfigurationError, EdgefaceError, UnavailableError
from ..core.rates import FRAME_RATE_HZ
from ..core.resources import BUNDLED_VOICE, PACKAGE
from ..motion.face import BLENDSHAPES
from ..web.access import Access
from ..web.http import HttpHandler, HttpServer
from .rehearsal import Rehearsal

_PAGE = os.path.join(PACKAGE, "view", "page")
_FILES = {
    "": (os.path.join(_PAGE, "calibrate.html"), "text/html; charset=utf-8"),
    "calibrate.css": (os.path.join(_PAGE, "calibrate.css"), "text/css"),
    "calibrate.js": (os.path.join(_PAGE, "calibrate.js"), "text/javascript"),
    "face.js": (os.path.join(_PAGE, "face.js"), "text/javascript"),
    "voice.flac": (BUNDLED_VOICE, "audio/flac"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; media-src blob:; img-src data:; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
}
_HOST = "127.0.0.1"
_LONGEST_BODY = 1 << 16  # bytes


class Calibrator(HttpServer):
    """Shows a sentence with the settings that the page asks for, and saves them.

    :param port: on 127.0.0.1; 0 for any that is free
    :param rehearsal: the sentence
    :param motion: the settings to begin with
    :param path: the configuration file to write; "" for none
    :raises UnavailableError: the port is taken
    """

    def __init__(self, port: int, rehearsal: Rehearsal, motion: Motion, path: str) -> None:
        self.rehearsal = rehearsal
        self.motion = motion
        self.path = path
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__(_HOST, port, Access(_HOST), _Handler)
        except OSError as error:
            raise UnavailableError(
                f"port {port} on {_HOST}: {error.strerror}; choose another --port"
            ) from None

    @property
    def url(self) -> str:
        """Address of the page, with its token."""
        return f"{super().url}{self.token}/"

    def state(self) -> Dict[str, Any]:
        """What the page begins with."""
        return {
            "file": self.path,
            "fps": FRAME_RATE_HZ,
            "frames": len(self.rehearsal.landmarks),
            "poses": np.round(self.rehearsal.poses, 4).tolist(),
            "names": BLENDSHAPES,
            "most": np.round(self.rehearsal.blendshapes.max(axis=0), 3).tolist(),
            "spans": {key.name: key.metadata["span"] for key in fields(Shape)},
            "strength": self.motion.strength,
            "shapes": {name: vars(shape) for name, shape in self.motion.shapes},
        }

    def save(self, motion: Motion) -> str:
        """Writes the file; what to do next.

        :raises EdgefaceError: it cannot be written
        """
        if not self.path:
            raise ConfigurationError("no configuration file; start with --config FILE to save")
        save_calibration(self.path, motion)
        self.motion = motion
        if os.path.realpath(self.path) == os.path.realpath(INSTALLED):
            return "systemctl reload edgeface"
        return "kill -HUP PID, of the daemon that reads this file"


class _Handler(HttpHandler):
    server: Calibrator

    def answer(self) -> None:
        """The page's files, and what it begins with."""
        name = self._name()
        if name is None:
            self.send_error(403)
        elif name in _FILES:
            path, kind = _FILES[name]
            with open(path, "rb") as file:
                self._send(file.read(), kind)
        elif name == "state":
            self._send(json.dumps(self.server.state()).encode(), "application/json")
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Answers a request, unless a foreign page makes it."""
        self.answer_own(self._answer_post)

    def _answer_post(self) -> None:
        """The sentence with other settings, their YAML, or the order to save them."""
        name = self._name()
        if name is None or self.headers.get("Origin") != f"http://{self.headers.get('Host')}":
            self.send_error(403)  # another page of the same browser
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LONGEST_BODY:
            self.send_error(413)
            return
        try:
            motion = parse_settings(self.rfile.read(int(length)), "settings").motion
            if name == "frames":
                points, shapes = self.server.rehearsal.perform(motion)
                body = points.astype("<f4").tobytes() + shapes.astype("<f4").tobytes()
                self._send(body, "application/octet-stream")
            elif name == "yaml":
                self._send(with_calibration("", motion).encode(), "text/plain; charset=utf-8")
            elif name == "save":
                self._send(self.server.save(motion).encode(), "text/plain; charset=utf-8")
            else:
                self.send_error(404)
        except EdgefaceError as error:
            self._send(str(error).encode(), "text/plain; charset=utf-8", 409)

    def _name(self) -> Optional[str]:
        """The path behind the token; None for a stranger."""
        _, token, name = [*self.path.split("/", 2), "", ""][:3]
        known = hmac.compare_digest(token.encode(), self.server.token.encode())
        return name if known else None

    def _send(self, body: bytes, kind: str, code: int = 200) -> None:
        self.send(body, kind, code, _HEADERS.items())
