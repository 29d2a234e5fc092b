"""The calibration page: who is let in, what it writes, and the page in a real Chromium."""

import json
import re
import urllib.error
import urllib.request

import numpy as np
import pytest
from support.process import edgeface, start, wait_for

from edgeface.config import load_settings

OWN = """# of the robot
audio:
  hold_ms: 700   # it pauses a lot
motion:
  blink: true
  shapes:
    jawOpen: {gain: 90}   # a small jaw
"""
FACE_FLOATS = 68 * 3 + 52


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    return path


@pytest.fixture
def url(own):
    """Address of the page of a running `edgeface calibrate`."""
    process = start("calibrate", "--config", str(own))
    yield re.search(r"http://\S+", process.stdout.readline()).group(0)
    process.terminate()
    assert process.wait(5) == 0


def post(url, name, motion, headers=None, body=None):
    """Code and content of an answer."""
    body = json.dumps({"motion": motion}).encode() if body is None else body
    origin = {"Origin": url.rpartition("/")[0].rpartition("/")[0]}
    request = urllib.request.Request(
        url + name, data=body, headers=origin if headers is None else headers
    )
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.getcode(), answer.read()


def get(url, headers=None):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})).getcode()
    except urllib.error.HTTPError as error:
        return error.code


def test_strangers_are_turned_away_and_the_owner_saves(url, own):
    root, token = url[:-1].rpartition("/")[::2]
    assert url.startswith("http://127.0.0.1:") and len(token) >= 32
    assert get(url) == get(url + "state") == get(url + "voice.flac") == 200
    assert get(url, {"Host": "localhost:1"}) == 200
    assert get(url, {"Host": "evil.example"}) == 403
    for path in ("/", "/state", "/x/state", f"/{token[:-1]}/state", f"/{token}é/state", "//"):
        assert get(root + urllib.request.quote(path)) == 403
    assert get(url + "setup.py") == get(url + "../../setup.py") == 404
    motion = {"strength": 50}
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert post(url, "save", motion, headers)[0] == 403
    assert post(root + "/x/", "save", motion)[0] == 403
    assert own.read_text() == OWN
    assert post(url, "save", motion, body=b"x" * 70000)[0] == 413
    for wrong, words in (
        (b'{"motion": {"strength": 201}}', b"motion.strength"),
        (b'{"motion": {"shapes": {"jawOpn": {}}}}', b"'jawOpen'"),
        (b'{"motion": ', b"not YAML"),
        (b"\xff\xfe\xff", b"not YAML"),
    ):
        code, text = post(url, "save", {}, body=wrong)
        assert code == 409 and words in text and b"\n" not in text
    assert own.read_text() == OWN
    code, text = post(url, "save", {"strength": 50, "shapes": {"jawOpen": {"gain": 80}}})
    assert code == 200 and b"kill -HUP" in text
    assert own.read_text() == OWN.replace("90", "80") + "  strength: 50\n"


def test_frames_are_those_of_the_settings(url):
    def frames(motion):
        values = np.frombuffer(post(url, "frames", motion)[1], "<f4")
        count = len(values) // FACE_FLOATS
        points = values[: count * 204].reshape(count, 68, 3)
        return points, points[:, 62, 1] - points[:, 66, 1]

    points, gap = frames({})
    state = json.loads(urllib.request.urlopen(url + "state").read())
    assert len(points) == state["frames"] > 300
    assert np.ptp(state["poses"], axis=0)[1] > 0.02  # rad: the head turns
    _, more_gap = frames({"strength": 200})
    assert more_gap.max() > 1.8 * gap.max() and (more_gap[gap < 0.01] < 0.011).all()
    _, jaw_gap = frames({"shapes": {"jawOpen": {"gain": 200}}})
    assert jaw_gap.max() > 1.3 * gap.max() and (jaw_gap[gap < 0.01] < 0.015).all()
    yaml = post(url, "yaml", {"shapes": {"jawOpen": {"gain": 200}}})[1]
    assert b"jawOpen: {gain: 200}" in yaml


def test_without_a_file_nothing_is_saved_and_a_new_one_is_created(tmp_path):
    process = start("calibrate", "--config", "", cwd=str(tmp_path))
    url = re.search(r"http://\S+", process.stdout.readline()).group(0)
    assert json.loads(urllib.request.urlopen(url + "state").read())["file"] == ""
    code, text = post(url, "save", {"strength": 50})
    assert code == 409 and b"--config" in text
    assert list(tmp_path.iterdir()) == []
    process.terminate()
    assert process.wait(5) == 0

    process = start("calibrate", "--config", "new.yaml", cwd=str(tmp_path))
    url = re.search(r"http://\S+", process.stdout.readline()).group(0)
    assert post(url, "save", {"strength": 50})[0] == 200
    assert load_settings(str(tmp_path / "new.yaml")).motion.strength == 50
    process.terminate()
    assert process.wait(5) == 0


def test_a_command_line_that_cannot_work(own):
    assert edgeface("calibrate", "--port", "70000").returncode == 2
    own.write_text("motion: {strength: 1000}")
    refused = edgeface("calibrate", "--config", str(own))
    assert refused.returncode == 78 and "motion.strength" in refused.stderr


@pytest.fixture(scope="module")
def browser():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        "--autoplay-policy=no-user-gesture-required --window-size=1300,900"
    ).split():
        options.add_argument(flag)
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService("/usr/bin/chromedriver")
    )
    yield driver
    driver.quit()


SLIDE = """
const [selector, value] = arguments, input = document.querySelector(selector);
input.value = value;
input.dispatchEvent(new Event("input"));
"""
WIDEST = """
const [which] = arguments;
return Math.max(...Array.from({ length: 300 }, (_, k) => calibration.gap(which, k)));
"""


@pytest.mark.system
def test_the_page_plays_shows_and_saves(browser, url, own):
    browser.get(url)
    wait_for(lambda: browser.execute_script("return window.calibration && calibration.idle()"))
    element = browser.find_element
    assert str(own) in element("id", "message").text
    assert not element("id", "save").is_enabled()
    jaw = "[data-shape=jawOpen]"
    assert element("css selector", f"{jaw} input[aria-label^=gain]").get_attribute("value") == "90"

    element("id", "play").click()
    wait_for(lambda: float(element("id", "time").text.split()[0]) > 0.3)
    element("id", "play").click()
    assert element("id", "play").text == "Play"

    before = browser.execute_script(WIDEST, "before")
    browser.execute_script(SLIDE, "#strength-range", 160)
    browser.execute_script(SLIDE, f"{jaw} input[type=number]", 120)
    browser.execute_script(SLIDE, "[data-shape=eyeBlinkLeft] input[type=range]", 130)
    wait_for(lambda: browser.execute_script("return calibration.idle()"))
    assert browser.execute_script(WIDEST, "after") > 1.5 * before
    assert browser.execute_script(WIDEST, "before") == before
    assert "strength: 160" in element("id", "yaml").get_attribute("textContent")

    element("id", "save").click()
    wait_for(lambda: "Saved in" in element("id", "message").text)
    assert "kill -HUP" in element("id", "message").text
    motion = load_settings(str(own)).motion
    assert motion.strength == 160
    assert {name: shape.gain for name, shape in motion.shapes} == {
        "jawOpen": 120,
        "eyeBlinkLeft": 130,
        "eyeBlinkRight": 130,
    }
    for kept in ("# of the robot", "hold_ms: 700   # it pauses a lot", "# a small jaw"):
        assert kept in own.read_text()

    browser.execute_script(SLIDE, "#strength-number", 20)
    element("id", "revert").click()
    assert browser.execute_script("return calibration.settings().strength") == 160
    element("id", "reset").click()
    assert browser.execute_script("return calibration.settings().strength") == 100
    own.write_text("motion: {strenth: 3}")
    wait_for(lambda: element("id", "save").is_enabled())
    element("id", "save").click()
    wait_for(lambda: "did you mean 'strength'" in element("id", "message").text)
    unexpected = [e for e in browser.get_log("browser") if "409" not in e["message"]]
    assert unexpected == []
