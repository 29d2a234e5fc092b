"""Serves the page, its frames and an avatar on 127.0.0.1."""

import base64
import hashlib
import json
import os
import re
import shutil
from typing import Any, List

from ..core.errors import EdgefaceError, UnavailableError
from ..core.resources import PACKAGE
from ..motion.face import BLENDSHAPES
from ..web.access import Access
from ..web.server import Handler, Server
from .avatar import read_avatar
from .packages import FOLDER

_HOST = "127.0.0.1"
_SCRIPT = "text/javascript"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    **{f"/{name}.js": (f"{name}.js", _SCRIPT) for name in ("face", "page", "stage")},
    **{
        f"/{name}.js": (f"{name}.js", _SCRIPT)
        for name in ("rig", "motion", "vowels", "head", "skin")
    },
    "/web/face.js": (os.path.join(PACKAGE, "examples", "web", "face.js"), _SCRIPT),
}
_PACKAGE_FILE = re.compile(r"/(node_modules/(?:three|@pixiv)/[\w/.-]+\.js)")
_INLINE = re.compile(rb"<(?:script type=\"importmap\"|style)>(.*?)</(?:script|style)>", re.S)


class PageServer(Server):
    """Serves the page.

    :param port: on 127.0.0.1; 0 for any that is free
    :param shm: name of the segment
    :param neutral: resting face, 68 lists of 3, shown while there is no writer
    :param avatar: path of a GLB or VRM file to show; "" for the drawn face
    :param own: whether it is one of edgeface's own heads: `chosen`, `offered` (where the browser is
        too slow for it, the page draws its face), or "" for another avatar
    :raises UnavailableError: the port is taken
    """

    def __init__(
        self, port: int, shm: str, neutral: List[List[float]], avatar: str = "", own: str = ""
    ):
        self.neutral = neutral
        self.avatar = avatar
        self.own = own
        try:
            super().__init__(_HOST, port, shm, Access(_HOST), _PageHandler)
        except OSError as error:
            raise UnavailableError(
                f"port {port} on {_HOST}: {error.strerror}; choose another --port"
            ) from None

    def described(self) -> Any:
        """What the page has to know of the avatar, which may have changed; None without one."""
        if not self.avatar:
            return None
        try:
            kind = read_avatar(self.avatar).kind
        except EdgefaceError as error:
            return {"error": str(error)}
        return {
            "name": os.path.basename(self.avatar),
            "kind": kind,
            "names": BLENDSHAPES,
            "own": self.own,
        }


class _PageHandler(Handler):
    server: PageServer

    def answer(self) -> None:
        """A file of the page, the neutral face, or the avatar."""
        package_file = _PACKAGE_FILE.fullmatch(self.path)
        if self.path in _FILES:
            self._send_file(*_FILES[self.path])
        elif package_file and ".." not in self.path:
            self._send_file(package_file.group(1), _SCRIPT)
        elif self.path == "/neutral":
            self.send(json.dumps(self.server.neutral).encode(), "application/json")
        elif self.path == "/avatar.json":
            self.send(json.dumps(self.server.described()).encode(), "application/json")
        elif self.path == "/avatar" and self.server.avatar:
            self._send_file(os.path.abspath(self.server.avatar), "model/gltf-binary")
        else:
            super().answer()

    def _send_file(self, path: str, kind: str) -> None:
        """Sends a file, by its path below the page's folder or by its whole path."""
        try:
            file = open(os.path.join(FOLDER, path), "rb")
        except OSError:
            return self.send_error(404)
        with file:
            if path == "index.html":
                page = file.read()
                return self.send(page, kind, headers=[("Content-Security-Policy", _policy(page))])
            self.begin(os.fstat(file.fileno()).st_size, kind)
            shutil.copyfileobj(file, self.wfile)


def _policy(page: bytes) -> str:
    """Nothing from elsewhere; of what is written in the page itself, what it was delivered with."""
    digests = [hashlib.sha256(text).digest() for text in _INLINE.findall(page)]
    inline = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    # meshes may be packed, which WebAssembly unpacks; pictures of an avatar become blobs
    return (
        f"default-src 'none'; script-src 'self' 'wasm-unsafe-eval' {inline}; style-src {inline};"
        " connect-src 'self' blob: data:; img-src 'self' blob: data:; base-uri 'none';"
        " form-action 'none'"
    )
