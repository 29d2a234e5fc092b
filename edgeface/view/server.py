"""Serves the page, its frames and an avatar on 127.0.0.1."""

import base64
import hashlib
import json
import os
import re
import shutil
import time
from typing import Any, Dict, List, Optional

from ..core.errors import EdgefaceError, UnavailableError, UsageError
from ..core.resources import PACKAGE
from ..motion.calibration import Calibration
from ..motion.face import BLENDSHAPES
from ..shm.slot import ReadFrame
from ..web.access import Access
from ..web.message import frame_message
from ..web.server import Handler, Server
from .avatar import read_avatar
from .caption import LONGEST_BODY, Caption
from .packages import FOLDER
from .staging import Staging, picture_of, read_staging, staging_file

_HOST = "127.0.0.1"
_PAGE = "text/html; charset=utf-8"
_SCRIPT = "text/javascript"
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"
_SCRIPTS = "face page stage drawn rig motion vowels backdrop detail stream render head skin".split()
_FILES = {
    "/": ("index.html", _PAGE),
    "/render": ("render.html", _PAGE),
    **{f"/{name}.js": (f"{name}.js", _SCRIPT) for name in _SCRIPTS},
    "/web/face.js": (os.path.join(PACKAGE, "examples", "web", "face.js"), _SCRIPT),
}
_PACKAGE_FILE = re.compile(r"/(node_modules/(?:three|@pixiv)/[\w/.-]+\.js)")
_INLINE = re.compile(rb"<(?:script type=\"importmap\"|script|style)>(.*?)</(?:script|style)>", re.S)
_ANY_PICTURE = "application/octet-stream"  # the browser looks into it


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
        self.caption = Caption(time.monotonic)
        self._calibration: Optional[Calibration] = None
        self._started = time.time()
        try:
            super().__init__(_HOST, port, shm, Access(_HOST), _PageHandler, self._message)
        except OSError as error:
            raise UnavailableError(
                f"port {port} on {_HOST}: {error.strerror}; choose another --port"
            ) from None

    def described(self) -> Dict[str, Any]:
        """What the page has to know, all of which may have changed since it was loaded last."""
        described: Dict[str, Any] = {"edition": self.edition(), "neutral": self.neutral}
        if not self.avatar:
            return dict(described, staging=Staging().described())
        described["notices"] = []
        try:
            staging = read_staging(self.avatar)
        except EdgefaceError as error:
            staging = Staging()
            described["notices"].append(str(error))
        described["staging"] = staging.described()
        self._calibration = staging.calibration(self.neutral)
        try:
            kind = read_avatar(self.avatar).kind
        except EdgefaceError as error:
            described["notices"].append(str(error))
        else:
            name = os.path.basename(self.avatar)
            avatar = {"name": name, "kind": kind, "names": BLENDSHAPES, "own": self.own}
            described["avatar"] = avatar
        return described

    def edition(self) -> str:
        """Another one wherever the page has to be loaded again."""
        files = (self.avatar, staging_file(self.avatar)) if self.avatar else ()
        return "-".join(map(str, (self._started, *map(_changed_ns, files))))

    def picture(self) -> str:
        """The path of the background's picture; empty where there is none."""
        try:
            return picture_of(read_staging(self.avatar), self.avatar) if self.avatar else ""
        except EdgefaceError:
            return ""

    def _message(self, frame: Optional[ReadFrame], header: Optional[Dict[str, int]]) -> str:
        if frame is not None and self._calibration is not None:
            face = self._calibration.apply(frame.landmarks, frame.blendshapes)
            frame = frame._replace(landmarks=face[0], blendshapes=face[1])
        more = {"edition": self.edition(), "caption": self.caption.now()}
        return frame_message(frame, header, **more)


class _PageHandler(Handler):
    server: PageServer

    def answer(self) -> None:
        """A file of the page, what it has to know, the avatar, or what is written on the page."""
        package_file = _PACKAGE_FILE.fullmatch(self.path)
        path = self.path.partition("?")[0]
        if path in _FILES:
            self._send_file(*_FILES[path])
        elif package_file and ".." not in self.path:
            self._send_file(package_file.group(1), _SCRIPT)
        elif path == "/page.json":
            self.send(json.dumps(self.server.described()).encode(), _JSON)
        elif path == "/caption":
            self.send(json.dumps(self.server.caption.now()).encode(), _JSON)
        elif path == "/avatar" and self.server.avatar:
            self._send_file(os.path.abspath(self.server.avatar), "model/gltf-binary")
        elif path == "/background" and self.server.picture():
            self._send_file(self.server.picture(), _ANY_PICTURE)
        else:
            super().answer()

    def do_POST(self) -> None:
        """Takes what is to be written on the page, unless a foreign page says it."""
        self.answer_own(self._take_caption)

    def _take_caption(self) -> None:
        if not self.server.access.lets_read(self.headers):
            return self.refuse("Origin")
        length = self.headers.get("Content-Length", "")
        if self.path != "/caption":
            return self.send_error(404)
        if not (length.isdecimal() and int(length) <= LONGEST_BODY):
            self.close_connection = True
            return self.send(b"send up to 4096 bytes, and say how many\n", _TEXT, 413)
        try:
            self.server.caption.take(self.rfile.read(int(length)))
        except UsageError as error:
            return self.send(f"{error}\n".encode(), _TEXT, 400)
        self.send(b"", _TEXT, 204)

    def _send_file(self, path: str, kind: str) -> None:
        """Sends a file, by its path below the page's folder or by its whole path."""
        try:
            file = open(os.path.join(FOLDER, path), "rb")
        except OSError:
            return self.send_error(404)
        with file:
            if kind == _PAGE:
                page = file.read()
                return self.send(page, kind, headers=[("Content-Security-Policy", _policy(page))])
            self.begin(os.fstat(file.fileno()).st_size, kind)
            shutil.copyfileobj(file, self.wfile)


def _changed_ns(path: str) -> int:
    """When a file was changed; 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


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
