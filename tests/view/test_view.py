"""The page in a real Chromium."""

import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from support.browser import chromium, script_errors
from support.process import edgeface, start, wait_for

from edgeface.core.clock import monotonic_ns
from edgeface.motion.frame import Frame
from edgeface.shm.reader import Reader
from edgeface.view.server import PageServer

pytestmark = pytest.mark.system

LIP_GAP = """
const at = (point, axis) => edgeface.shown.landmarks[3 * point + axis];
return Math.hypot(at(62, 0) - at(66, 0), at(62, 1) - at(66, 1));
"""


@pytest.fixture(scope="module")
def browser():
    with chromium("--disable-gpu", "--window-size=700,800") as driver:
        yield driver


@pytest.fixture
def page(browser, shm_name):
    view = start("view", "--port", "0", "--shm", shm_name)
    url = re.search(r"http://\S+", view.stdout.readline()).group(0)
    browser.get(url)
    yield browser
    browser.get("about:blank")
    view.terminate()
    view.wait(5)


def picture(browser):
    from PIL import Image

    return np.asarray(
        Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    ).astype(int)


def open_mouth_pixels(image):
    """Pixels of the mouth's dark inside and of its teeth, in the lower middle of the picture."""
    height, width = image.shape[:2]
    part = image[int(height * 0.55) : int(height * 0.8), int(width * 0.35) : int(width * 0.65)]
    red, green, blue = part[..., 0], part[..., 1], part[..., 2]
    inside = (red < 90) & (green < 45) & (blue < 45)
    teeth = (red > 205) & (green > 195) & (blue > 180) & (red - blue < 40)
    return int(inside.sum() + teeth.sum())


def test_frames_arrive_at_25_a_second_and_the_mouth_follows_the_sound(
    page, shm_name, clips, tmp_path
):
    import wave

    path = str(tmp_path / "long.wav")
    sound = np.concatenate([clips["samples"][i] for i in range(6)])
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(sound.tobytes())
    daemon = start("run", "--source", path, "--mouth-only", "--shm", shm_name)
    wait_for(lambda: page.execute_script("return edgeface.received") > 5)
    script = (
        "return [performance.now(), edgeface.received, edgeface.drawn, edgeface.index,"
        " edgeface.gaps]"
    )
    first = page.execute_script(script)
    opened, gaps = [], []
    end_s = time.monotonic() + 10.0  # a busy machine takes fewer pictures before the sound ends
    while time.monotonic() < end_s and len(opened) < 40:
        gaps.append(page.execute_script(LIP_GAP))
        opened.append(open_mouth_pixels(picture(page)))
    last = page.execute_script(script)
    assert "running" in page.find_element("id", "status").text
    daemon.terminate()
    daemon.wait()
    seconds = (last[0] - first[0]) / 1000
    assert 20 < (last[1] - first[1]) / seconds < 26  # a busy machine skips some
    assert 24 < (last[1] + last[4] - first[1] - first[4]) / seconds < 26
    assert (last[2] - first[2]) / seconds > 15
    assert max(gaps) > 0.06 and min(gaps) < 0.02
    opened, gaps = np.array(opened), np.array(gaps)
    assert opened[gaps > 0.06].mean() > 4 * (opened[gaps < 0.02].mean() + 10)
    assert np.corrcoef(opened, gaps)[0, 1] > 0.6


def test_the_face_rests_when_the_writer_is_gone(page, shm_name, speech_wav):
    daemon = start("run", "--source", speech_wav, "--shm", shm_name)
    wait_for(lambda: page.execute_script("return edgeface.received") > 40)
    daemon.kill()
    daemon.wait()
    wait_for(lambda: page.find_element("id", "status").text == "no voice", 6.0)
    wait_for(lambda: page.execute_script(LIP_GAP) < 0.01, 3.0)
    again = start("run", "--source", speech_wav, "--shm", shm_name)
    wait_for(lambda: "running" in page.find_element("id", "status").text, 8.0)
    again.terminate()
    assert again.wait() == 0


def test_the_head_turns_and_the_eyes_move(page, writer, bundle, request):
    """Of one frame that goes on being published: the picture comes to rest there."""
    still = Frame(
        0, np.asarray(bundle.neutral, np.float32), np.zeros(52, np.float32), 0.0, -120.0, 0
    )

    frames, done = [still], threading.Event()

    def publish():
        while not done.wait(0.04):
            writer.publish(frames[-1], 0, monotonic_ns())

    thread = threading.Thread(target=publish)
    thread.start()
    request.addfinalizer(thread.join)
    request.addfinalizer(done.set)

    def shown(**changes):
        values = {name: np.float32(value) for name, value in changes.items()}
        frames.append(still._replace(**values))
        for what, more in (("received", 3), ("drawn", 30)):
            wanted = page.execute_script(f"return edgeface.{what}") + more
            wait_for(
                lambda what=what, wanted=wanted: (
                    page.execute_script(f"return edgeface.{what}") > wanted
                )
            )
        return picture(page)

    def centre(mask):
        return np.array([places.mean() for places in np.nonzero(mask)[::-1]])

    def lips(image):
        return centre(
            (image[..., 0] > 150) & (image[..., 1] < 125) & (image[..., 0] > image[..., 1] + 70)
        )

    def around_eyes(image):
        rows, columns = np.indices(image.shape[:2])
        above = still_lips[1] - rows
        return (abs(columns - still_lips[0]) < 130) & (above > 60) & (above < 200)

    def irises(image):
        return centre((image[..., 1] > image[..., 0] + 30) & around_eyes(image))

    def whites(image):
        return centre((image.min(axis=2) > 222) & around_eyes(image))

    rest = shown()
    still_lips = lips(rest)
    eyes = irises(rest)
    # to the viewer's right, nose down, crown to the viewer's left, up
    assert lips(shown(head=(0, 0.15, 0, 0, 0, 0)))[0] > still_lips[0] + 10
    assert lips(shown(head=(0.1, 0, 0, 0, 0, 0)))[1] > still_lips[1] + 10
    tilted = shown(head=(0, 0, 0.1, 0, 0, 0))
    assert irises(tilted)[0] < eyes[0] - 8 and abs(lips(tilted)[0] - still_lips[0]) < 8
    assert lips(shown(head=(0, 0, 0, 0, 0.1, 0)))[1] < still_lips[1] - 10
    right, left = shown(gaze=(0.25, 0, 0.25, 0)), shown(gaze=(-0.25, 0, -0.25, 0))
    assert irises(right)[0] > irises(left)[0] + 4
    up, down = shown(gaze=(0, 0.25, 0, 0.25)), shown(gaze=(0, -0.25, 0, -0.25))
    assert whites(down)[1] < whites(up)[1] - 2
    assert all(np.abs(lips(image) - still_lips).max() < 1 for image in (left, right, up, down))


def test_the_page_fits_any_screen(page):
    for width, height in ((320, 900), (1200, 500), (3840, 2160)):
        page.set_window_size(width, height)
        wait_for(
            lambda w=width: page.execute_script("return document.getElementById('face').width") <= w
        )
        time.sleep(0.3)
        image = picture(page)
        skin = (image[..., 0] > 200) & (image[..., 1] > 140) & (image[..., 2] > 100)
        rows, columns = np.nonzero(skin)
        centre = (columns.min() + columns.max()) / 2 / image.shape[1]
        assert 0.4 < centre < 0.6
        assert columns.min() > 0 and columns.max() < image.shape[1] - 1 and rows.min() > 0
    page.set_window_size(700, 800)


def test_faces_whose_corners_of_the_mouth_meet_or_are_swapped_are_drawn(page):
    wait_for(lambda: page.execute_script("return !!edgeface.shown"))
    page.execute_script("""
        const flat = edgeface.shown.landmarks, points = [];
        for (let i = 0; i < flat.length; i += 3) points.push(flat.slice(i, i + 3));
        const context = document.createElement("canvas").getContext("2d");
        for (const scale of [0, -1])
          drawFace(context, 200, 200, points.map(([x, y, z]) => [scale * x, y, z]));
    """)


def test_no_script_errors(page):
    time.sleep(1)
    assert script_errors(page) == []


def test_only_this_machine_is_served(shm_name):
    server = PageServer(0, shm_name, [[0, 0, 0]] * 68)
    assert server.server_address[0] == "127.0.0.1"
    server.server_close()


def test_a_foreign_name_and_unknown_paths_are_refused(shm_name):
    view = start("view", "--port", "0", "--shm", shm_name)
    url = re.search(r"http://\S+", view.stdout.readline()).group(0)
    assert urllib.request.urlopen(f"{url}page.json").status == 200
    for path, host, code in (
        ("page.json", "evil.example", 403),
        ("../setup.py", None, 404),
        ("x", None, 404),
    ):
        request = urllib.request.Request(url + path, headers={"Host": host} if host else {})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == code
    port = url.rsplit(":", 1)[1].strip("/")
    taken = edgeface("view", "--port", port)
    assert taken.returncode == 69 and port in taken.stderr and taken.stderr.count("\n") == 1
    view.terminate()
    assert view.wait(5) == 0


class Demo:
    """`make run`, without a browser."""

    def __init__(self, **environment):
        environment = dict(os.environ, **environment)
        environment.pop("DISPLAY", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edgeface.demo"],
            stdout=subprocess.PIPE,
            env=environment,
            universal_newlines=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(10) == 0
        wait_for(lambda: not os.path.exists("/dev/shm/edgeface"))


def lip_gaps(seconds):
    """Inner lip gap of the frames that the page is sent within so long, with their times."""
    gaps, end_s = [], time.monotonic() + seconds
    with urllib.request.urlopen("http://127.0.0.1:8068/frames") as stream:
        while time.monotonic() < end_s:
            line = stream.readline()
            if line.startswith(b"data:") and b'"landmarks"' in line:
                points = json.loads(line[5:].decode())["landmarks"]
                gaps.append((time.monotonic(), points[62][1] - points[66][1]))
    return gaps


def test_make_run_shows_the_bundled_voice_or_the_microphone():
    environment = {"PULSE_SERVER": "unix:/nowhere"}
    silent = "no input device" in edgeface("devices", env=dict(os.environ, **environment)).stdout
    with Demo(**environment) as demo:
        assert ("bundled voice" if silent else "the microphone") in demo.process.stdout.readline()
        began = time.monotonic()
        with Reader("edgeface") as reader:
            wait_for(lambda: reader.alive)
            if not silent:
                return
            gaps = lip_gaps(4.0)
            # the page shows a face that moves, soon
            moved = [at for at, gap in gaps if abs(gap - gaps[0][1]) > 0.03]
            assert moved and moved[0] - began < 5.0
            # the voice is repeated by the same daemon, which never leaves
            instance = reader.header()["instance_id"]
            heard, end_s = [], time.monotonic() + 14.0
            while time.monotonic() < end_s:
                assert reader.alive and reader.header()["instance_id"] == instance
                heard.append(reader.read().rms_dbfs > -40)
                time.sleep(0.1)
            assert 0.2 < np.mean(heard) < 1.0 and any(heard[-40:])


PLAYBACK_ONLY = """
pcm.!default { type asym playback.pcm { type pulse device spk } }
ctl.!default { type pulse }
"""


def test_make_run_plays_its_voice_where_there_is_a_loudspeaker(server):
    """And no microphone: what the loudspeaker plays is recorded."""
    with open(server.environment["ALSA_CONFIG_PATH"], "w") as file:
        file.write(PLAYBACK_ONLY)
    with Demo(**server.environment) as demo:
        assert "bundled voice" in demo.process.stdout.readline()
        recorder = subprocess.Popen(
            ["parec", "--device=spk.monitor", "--rate=16000", "--channels=1", "--format=s16le"],
            stdout=subprocess.PIPE,
            env=server.environment,
        )
        sound = np.frombuffer(recorder.stdout.read(2 * 16000 * 8), "<i2")
        recorder.kill()
    assert np.abs(sound.astype(int)).max() > 1000
