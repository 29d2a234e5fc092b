"""The page's face as pictures: the same drawing, in a Chromium without a window."""

import base64
import os
import shutil

from ..core.errors import UnavailableError

_PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page", "face.js")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_MEND = "apt install chromium chromium-driver; pip install 'edgeface[render]'"
_BATCH = 25
_DRAW = """
const [faces, size, type] = arguments, canvas = document.createElement("canvas");
canvas.width = canvas.height = size;
return faces.map((face) => {
  drawFace(canvas.getContext("2d"), size, size, face);
  return canvas.toDataURL(type, 0.95).split(",")[1];
});
"""


class Painter:
    """Draws faces; a context manager, since a browser runs meanwhile.

    :raises UnavailableError: no Chromium, or no Selenium to drive it
    """

    def __init__(self):
        browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
        driver = shutil.which("chromedriver")
        if not (browser and driver):
            raise UnavailableError(f"render: no Chromium with its driver; {_MEND}")
        try:
            from selenium import webdriver
            from selenium.common.exceptions import WebDriverException
        except ImportError as error:
            raise UnavailableError(f"render: {error}; {_MEND}") from None
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for option in ["--headless=new", "--disable-dev-shm-usage"] + ["--no-sandbox"] * (
            os.geteuid() == 0
        ):
            options.add_argument(option)
        try:
            self._driver = webdriver.Chrome(
                options=options, service=webdriver.ChromeService(driver)
            )
        except WebDriverException as error:
            raise UnavailableError(
                f"render: Chromium does not start ({' '.join(str(error).split())[:120]}); {_MEND}"
            ) from None
        with open(_PAGE) as file:
            self._script = file.read() + _DRAW

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._driver.quit()

    def paint(self, faces, size, kind):
        """Yields the bytes of a square picture for each of landmarks [T, 68, 3].

        :param size: in pixels
        :param kind: `png` or `jpeg`
        """
        for at in range(0, len(faces), _BATCH):
            batch = [face.round(5).tolist() for face in faces[at : at + _BATCH]]
            for picture in self._driver.execute_script(self._script, batch, size, f"image/{kind}"):
                yield base64.b64decode(picture)
