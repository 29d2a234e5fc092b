"""The page's face as pictures: the page itself, in a Chromium without a window."""

import base64
import os
import shutil
import threading
from typing import Any, Iterator, List, Optional, Sequence

from ..core.advice import as_root, install_extra
from ..core.errors import DataError, UnavailableError, one_line
from ..motion.calibration import Calibration
from ..motion.frame import Frame
from .avatar import read_avatar
from .packages import check_packages
from .server import PageServer
from .staging import read_staging

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FIX = f"{as_root('apt install chromium chromium-driver')}; {install_extra('render')}"
_FLAGS = ("--headless=new", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader")
_BATCH = 25  # faces a call
_LONGEST_MESSAGE = 120  # characters of the driver's
_PATIENCE_S = 120  # for a large avatar, on a slow machine
_NO_FRAMES = "edgeface-render"  # a segment that the page never asks for


class Painter:
    """Draws faces; a context manager, since a browser and a server run meanwhile.

    :param neutral: the model's resting face, [68, 3]
    :param avatar: path of a GLB or VRM file; "" for the drawn face
    :param own: `looks.CHOSEN` where that file is edgeface's own; otherwise ""
    :raises UnavailableError: Chromium, Selenium to drive it, or three.js is missing
    :raises EdgefaceError: the avatar, or the YAML file beside it, cannot be used
    """

    def __init__(self, neutral: List[List[float]], avatar: str = "", own: str = "") -> None:
        self._calibration: Optional[Calibration] = None
        if avatar:
            read_avatar(avatar)
            check_packages()
            self._calibration = read_staging(avatar).calibration(neutral)
        self._driver = _browser()
        self._server = PageServer(0, _NO_FRAMES, neutral, avatar, own)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Painter":
        self._driver.set_script_timeout(_PATIENCE_S)
        self._driver.get(f"{self._server.url}render")
        problem = self._driver.execute_async_script(
            "const done = arguments[0]; window.opened.then(done);"
        )
        if problem:
            self.__exit__()
            raise DataError(f"{self._server.avatar}: cannot be shown: {one_line(problem)}")
        return self

    def __exit__(self, *_: Any) -> None:
        self._driver.quit()
        self._server.shutdown()
        self._server.server_close()

    def paint(
        self, frames: Sequence[Frame], size: int, kind: str, transparent: bool = False
    ) -> Iterator[bytes]:
        """Yields a square picture of each frame.

        :param size: in pixels
        :param kind: `png` or `jpeg`
        :param transparent: without what is behind the head; not as JPEG
        """
        for at in range(0, len(frames), _BATCH):
            faces = [self._face(frame) for frame in frames[at : at + _BATCH]]
            script = "return window.paint(...arguments)"
            pictures = self._driver.execute_script(
                script, faces, size, f"image/{kind}", transparent
            )
            for picture in pictures:
                yield base64.b64decode(picture)

    def _face(self, frame: Frame) -> Any:
        landmarks, blendshapes = frame.landmarks, frame.blendshapes
        if self._calibration is not None:
            landmarks, blendshapes = self._calibration.apply(landmarks, blendshapes)
        parts = {"landmarks": landmarks.ravel(), "blendshapes": blendshapes}
        parts.update(head=frame.head, gaze=frame.gaze)
        return {name: part.round(5).tolist() for name, part in parts.items()}


def _browser() -> Any:
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        raise UnavailableError(f"render: Chromium or its driver is missing; {_FIX}")
    try:
        from selenium import webdriver
        from selenium.common.exceptions import WebDriverException
    except ImportError as error:
        raise UnavailableError(f"render: {error}; {_FIX}") from None
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in _FLAGS:
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    try:
        return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    except WebDriverException as error:
        reason = one_line(error, _LONGEST_MESSAGE)
        raise UnavailableError(f"render: Chromium does not start ({reason}); {_FIX}") from None
