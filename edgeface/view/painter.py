"""The page's face as pictures: the same drawing, in a Chromium without a window."""

import base64
import os
import shutil
from typing import Any, Iterator, Sequence

from ..core.advice import as_root, install_extra
from ..core.errors import UnavailableError, one_line
from ..motion.frame import Frame

_DRAWING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page", "face.js")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FIX = f"{as_root('apt install chromium chromium-driver')}; {install_extra('render')}"
_BATCH = 25  # faces a call
_LONGEST_MESSAGE = 120  # characters of the driver's
_DRAW = """
const [faces, size, type] = arguments, canvas = document.createElement("canvas");
canvas.width = canvas.height = size;
return faces.map(([face, head, gaze]) => {
  drawFace(canvas.getContext("2d"), size, size, face, { head, gaze });
  return canvas.toDataURL(type, 0.95).split(",")[1];
});
"""


class Painter:
    """Draws faces; a context manager, since a browser runs meanwhile.

    :raises UnavailableError: Chromium, or Selenium to drive it, is missing
    """

    def __init__(self) -> None:
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
        options.add_argument("--headless=new")
        options.add_argument("--disable-dev-shm-usage")
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        try:
            service = webdriver.ChromeService(driver)
            self._driver = webdriver.Chrome(options=options, service=service)
        except WebDriverException as error:
            reason = one_line(error, _LONGEST_MESSAGE)
            raise UnavailableError(f"render: Chromium does not start ({reason}); {_FIX}") from None
        with open(_DRAWING) as file:
            self._script = file.read() + _DRAW

    def __enter__(self) -> "Painter":
        return self

    def __exit__(self, *_: Any) -> None:
        self._driver.quit()

    def paint(self, frames: Sequence[Frame], size: int, kind: str) -> Iterator[bytes]:
        """Yields a square picture of each frame.

        :param size: in pixels
        :param kind: `png` or `jpeg`
        """
        for at in range(0, len(frames), _BATCH):
            batch = [
                [part.round(5).tolist() for part in (frame.landmarks, frame.head, frame.gaze)]
                for frame in frames[at : at + _BATCH]
            ]
            pictures = self._driver.execute_script(self._script, batch, size, f"image/{kind}")
            for picture in pictures:
                yield base64.b64decode(picture)
