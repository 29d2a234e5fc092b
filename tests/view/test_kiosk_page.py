"""The page as a kiosk shows it, in a real Chromium that draws without a graphics card."""

import io
import json
import re
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from support.browser import chromium, requested, script_errors
from support.glb import write_head
from support.process import start, wait_for
from support.serving import serving

from edgeface.motion.face import BLENDSHAPES
from edgeface.view import server as server_module
from edgeface.view.server import PageServer

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def browser():
    flags = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--window-size=500,560")
    with chromium(*flags, requests=True) as driver:
        yield driver
        driver.get("about:blank")


@pytest.fixture
def head(tmp_path):
    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    return path


def script(browser, expression):
    return browser.execute_script(f"return {expression}")


def opened(browser, url, drawn="edgeface.drawn > 3"):
    browser.get(url)
    wait_for(lambda: script(browser, f"window.edgeface && {drawn}"), 40.0)


def picture(browser):
    from PIL import Image

    image = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    return np.asarray(image).astype(int)


def post(url, body, **headers):
    request = urllib.request.Request(f"{url}caption", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return answer.status


def skin(image):
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    return (red > 120) & (red > 1.15 * blue) & (red > green)


def mouth(image):
    """Row and column of the middle of lips and pupils, which are dark red."""
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    return np.mean(np.nonzero((red > 1.5 * green) & (blue > green) & (red < 140)), axis=1)


def test_nothing_but_the_face_is_seen_and_the_screen_stays_on(browser, shm_name, bundle):
    with serving(PageServer(0, shm_name, bundle.neutral)) as server:
        opened(browser, server.url)
        assert browser.find_element("id", "status").is_displayed()
        assert script(browser, "getComputedStyle(document.body).cursor") == "auto"
        assert script(browser, "edgeface.wakeLock") is None
        opened(browser, f"{server.url}?kiosk")
        assert not browser.find_element("id", "status").is_displayed()
        assert script(browser, "getComputedStyle(document.body).cursor") == "none"
        whole = "[document.documentElement.scrollHeight - innerHeight, document.body.innerText]"
        assert script(browser, whole) == [0, ""]
        wait_for(lambda: script(browser, "edgeface.wakeLock && !edgeface.wakeLock.released"))
        opened(browser, f"{server.url}?kiosk&status")
        assert browser.find_element("id", "status").is_displayed()
        assert script_errors(browser) == []


def test_words_and_the_microphone_are_shown_and_foreign_pages_cannot_say_them(
    browser, shm_name, bundle
):
    with serving(PageServer(0, shm_name, bundle.neutral)) as server:
        opened(browser, f"{server.url}?kiosk")
        words, listening = (browser.find_element("id", name) for name in ("words", "listening"))
        assert not words.is_displayed() and not listening.is_displayed()
        said = {"text": "Good day <b>you</b>", "seconds": 1.5, "listening": True}
        assert post(server.url, said) == 204
        wait_for(lambda: words.text == "Good day <b>you</b>" and listening.is_displayed(), 5.0)
        wait_for(lambda: not words.is_displayed() and listening.is_displayed(), 5.0)
        with urllib.request.urlopen(f"{server.url}caption") as answer:
            assert json.loads(answer.read().decode()) == {"text": "", "listening": True}
        for body, headers, code in (
            ({"text": "evil"}, {"Origin": "https://example.org"}, 403),
            ({"text": "evil"}, {"Sec-Fetch-Site": "cross-site"}, 403),
            ({"txt": "no"}, {}, 400),
            ({"text": "x" * 5000}, {}, 413),
        ):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post(server.url, body, **headers)
            assert caught.value.code == code
        assert server.caption.now()["text"] == ""


def test_a_server_that_refuses_or_is_restarted_is_found_again(
    browser, shm_name, bundle, writer, monkeypatch
):
    heard = "edgeface.face.names.length"
    with serving(PageServer(0, shm_name, bundle.neutral)) as server:
        with monkeypatch.context() as patch:
            refuse = lambda handler: handler.send_error(503)  # noqa: E731
            patch.setattr(server_module._PageHandler, "_stream", refuse)
            opened(browser, f"{server.url}?kiosk")
            wait_for(lambda: any("503" in entry["message"] for entry in script_errors(browser)))
        assert script(browser, heard) == 0
        wait_for(lambda: script(browser, heard) == 52, 10.0)
    view = start("view", "--port", "0", "--shm", shm_name)
    url = re.search(r"http://\S+", view.stdout.readline()).group(0)
    opened(browser, f"{url}?kiosk", f"{heard} === 52")
    began = script(browser, "performance.timeOrigin")
    view.kill()
    view.wait()
    time.sleep(1.5)
    again = start("view", "--port", url.rsplit(":", 1)[1].strip("/"), "--shm", shm_name)
    # another server may be another page, which is loaded by itself
    loaded = f"performance.timeOrigin > {began} && window.edgeface && {heard} === 52"
    wait_for(lambda: script(browser, loaded), 20.0)
    browser.get("about:blank")
    script_errors(browser)
    again.terminate()
    assert again.wait(5) == 0


def test_the_head_fits_any_screen_and_no_request_leaves_the_machine(
    browser, shm_name, bundle, head, tmp_path
):
    from PIL import Image

    Image.new("RGB", (40, 20), (20, 60, 20)).save(str(tmp_path / "lobby.png"))
    (tmp_path / "head.yaml").write_text("background: {picture: lobby.png}")
    requested(browser)
    with serving(PageServer(0, shm_name, bundle.neutral, head)) as server:
        for width, height in ((300, 600), (600, 300)):
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
            )
            opened(browser, f"{server.url}?kiosk", "edgeface.stage && edgeface.drawn > 1")
            image = picture(browser)
            assert image.shape[:2] == (height, width)
            rows, columns = np.nonzero(skin(image))
            assert 0.47 < (columns.min() + columns.max()) / 2 / width < 0.53
            assert columns.min() > 0.02 * width and rows.min() > 0.02 * height
            assert np.ptp(rows) > 0.5 * min(width, height)
            # the picture reaches every corner
            assert np.abs(image[[5, 5, -5, -5], [5, -5, 5, -5]] - (20, 60, 20)).max() < 8
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        post(server.url, {"text": "Welcome", "listening": True})
        wait_for(lambda: browser.find_element("id", "words").text == "Welcome", 20.0)
        assert script_errors(browser) == []
        addresses = requested(browser)
        assert len(addresses) > 30
        assert [url for url in addresses if not url.startswith(server.url)] == []
        browser.get("about:blank")


def test_the_yaml_file_is_followed_as_soon_as_it_is_saved(
    browser, shm_name, bundle, head, tmp_path, writer
):
    beside = tmp_path / "head.yaml"
    beside.write_text("background: {colour: '#ffffff'}")
    with serving(PageServer(0, shm_name, bundle.neutral, head)) as server:
        opened(browser, server.url, "edgeface.stage && edgeface.drawn > 3")

        def after(text):
            began = script(browser, "performance.timeOrigin")
            beside.write_text(text)
            ready = f"performance.timeOrigin > {began} && window.edgeface && edgeface.stage"
            wait_for(lambda: script(browser, f"{ready} && edgeface.drawn > 3"), 40.0)
            return picture(browser), browser.find_element("id", "notices").text

        plain = picture(browser)
        assert plain[5, 5].min() > 250
        near, _ = after("background: {colour: '#ffffff'}\ncamera: {distance: 60}")
        size = [
            np.ptp(np.nonzero(image[:, 200:300].min(axis=2) < 240)[0]) for image in (plain, near)
        ]
        assert 1.4 * size[0] < size[1]
        dark, _ = after("background: {colour: '#ffffff'}\nlight: {strength: 20}")
        assert dark.mean() < plain.mean() - 8
        turned, _ = after("background: {colour: '#ffffff'}\ncamera: {angle: 30, height: 20}")
        moved = mouth(turned) - mouth(plain)
        assert moved[0] > 10 and moved[1] < -5  # rows: the camera is higher; columns
        _, notice = after("camera: {hight: 3}")
        assert "camera.hight: unknown key; did you mean 'height'?" in notice
        browser.get("about:blank")


LOADS = """
const done = arguments[0];
import("./detail.js").then(({ Detail }) => {
  let now = 0;
  const detail = new Detail(now), shares = [];
  const draw = (seconds, cost) => {
    for (const end = now + 1000 * seconds; now < end; detail.seen(now)) now += cost(detail.share);
    shares.push(detail.share);
  };
  detail.fit(2160);
  draw(10, () => 16.7);
  draw(20, (share) => Math.max(16.7, 200 * share * share)); // a slow graphics card
  draw(600, () => 100); // busy with something else
  const patience = detail.patience;
  draw(60, () => 16.7);
  draw(3600, () => 16.7);
  detail.fit(400);
  done([shares, patience, detail.share]);
});
"""


def test_a_slow_machine_draws_fewer_pixels_and_more_again_later(browser, shm_name, bundle):
    with serving(PageServer(0, shm_name, bundle.neutral)) as server:
        opened(browser, server.url)
        shares, patience, small = browser.execute_async_script(LOADS)
        browser.get("about:blank")
    quick, slow, busy, soon, later = shares
    assert quick == later == small == 1
    assert 0.3 < slow < 0.48  # 45 ms a picture
    assert busy == pytest.approx(540 / 2160)
    assert soon < 0.4 and patience >= 60e3
