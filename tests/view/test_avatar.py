"""Avatars on the page, in a real Chromium that draws without a graphics card."""

import contextlib
import io
import threading
import time

import numpy as np
import pytest
from day import heaps
from support.browser import chromium, requested, script_errors
from support.glb import rewrite, write_avatar, write_head, write_vrm
from support.process import wait_for
from support.serving import serving
from support.spellings import SPELLINGS
from support.three import install_three

from edgeface.bridge.vmc import vowels
from edgeface.core.clock import monotonic_ns
from edgeface.core.rates import FRAME_MS, MS_NS
from edgeface.motion.face import BLENDSHAPES
from edgeface.motion.frame import Frame
from edgeface.view.avatar import plain, read_avatar
from edgeface.view.painter import Painter
from edgeface.view.server import PageServer

pytestmark = pytest.mark.system

JAW = BLENDSHAPES.index("jawOpen")
BLINK = BLENDSHAPES.index("eyeBlinkLeft")
COVERED = "return !document.getElementById('stage').hidden"
INFLUENCE = "edgeface.stage.rig.meshes[0].mesh.morphTargetInfluences"
WATCH = """
window.watched = [];
const look = () => {
  const { face } = edgeface, [a, b] = face.frames;
  if (b) watched.push([INFLUENCE[JAW], face.time, a.audio_ms, a.blendshapes[JAW], b.audio_ms,
                       b.blendshapes[JAW]]);
  requestAnimationFrame(look);
};
look();
""".replace("INFLUENCE", INFLUENCE).replace("JAW", str(JAW))


@pytest.fixture(scope="module")
def browser():
    flags = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--window-size=500,560")
    with chromium(*flags, requests=True) as driver:
        yield driver


@pytest.fixture(scope="module", autouse=True)
def three():
    install_three()


class Actor(threading.Thread):
    """Publishes a face 25 times a second."""

    def __init__(self, writer):
        super().__init__(daemon=True)
        self.writer = writer
        self.face = Frame(0, np.zeros((68, 3), np.float32), np.zeros(52, np.float32), 0.0, -20.0, 0)
        self.speaks = False
        self.ended = threading.Event()

    def run(self):
        index = 0
        while not self.ended.wait(0.04):
            shapes = np.array(self.face.blendshapes, np.float32)
            if self.speaks:
                shapes[JAW] = 0.5 - 0.5 * np.cos(index * 0.15)
            frame = self.face._replace(index=index, blendshapes=shapes)
            self.writer.publish(frame, 640 * index, monotonic_ns() - 2 * FRAME_MS * MS_NS)
            self.writer.heartbeat()
            index += 1

    def show(self, head=(0,) * 6, gaze=(0,) * 4, **shapes):
        values = np.zeros(52, np.float32)
        for name, value in shapes.items():
            values[BLENDSHAPES.index(name)] = value
        self.face = self.face._replace(
            blendshapes=values,
            head=np.array(head, np.float32),
            gaze=np.array(gaze, np.float32),
        )


@pytest.fixture
def actor(writer):
    thread = Actor(writer)
    thread.start()
    yield thread
    thread.ended.set()
    thread.join()


@contextlib.contextmanager
def page(browser, shm_name, path, drawn="edgeface.stage && edgeface.drawn > 3"):
    """The page with an avatar, once something is true."""
    server = PageServer(0, shm_name, [[0.01 * k, 0, 0] for k in range(68)], path)
    with serving(server):
        try:
            browser.get(server.url)
            wait_for(lambda: browser.execute_script(f"return window.edgeface && {drawn}"), 40.0)
            yield server
        finally:
            browser.get("about:blank")


def picture(browser):
    from PIL import Image

    image = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    return np.asarray(image).astype(int)


def settled(browser, value, target):
    wait_for(lambda: abs(browser.execute_script(f"return {value}") - target) < 0.02, 20.0)


def changed_pixels(before, after):
    return int((np.abs(before - after).sum(axis=-1) > 60).sum())


def test_an_avatar_speaks_blinks_and_turns_and_rests_without_a_writer(
    browser, shm_name, actor, tmp_path
):
    path = str(tmp_path / "head.glb")
    usual = [name.replace("Left", "_L").replace("Right", "_R") for name in BLENDSHAPES]
    write_head(path, [f"blendShape1.{name}" for name in usual])
    requested(browser)
    with page(browser, shm_name, path) as server:
        actor.speaks = True
        browser.execute_script(WATCH)
        wait_for(lambda: browser.execute_script("return watched.length") > 80, 40.0)
        rows = np.array(browser.execute_script("return watched")[20:])
        actor.speaks = False
        value, time_ms, a_ms, a, b_ms, b = rows.T
        published = a + (time_ms - a_ms) / (b_ms - a_ms) * (b - a)
        assert np.ptp(value) > 0.6
        assert np.corrcoef(value, published)[0, 1] > 0.9  # late frames are eased in
        settled(browser, f"{INFLUENCE}[{JAW}]", 0)
        rest = picture(browser)
        for shapes, place in (({"jawOpen": 1}, JAW), ({"eyeBlinkLeft": 1}, BLINK)):
            actor.show(**shapes)
            settled(browser, f"{INFLUENCE}[{place}]", 1)
            assert changed_pixels(rest, picture(browser)) > 150
        actor.show(head=(0, 0.4, 0, 0, 0, 0), jawOpen=1)
        settled(browser, "edgeface.stage.rig.head.node.rotation.y", 0.4)
        assert changed_pixels(rest, picture(browser)) > 1000
        actor.ended.set()
        settled(browser, "edgeface.stage.rig.head.node.rotation.y", 0)
        settled(browser, f"{INFLUENCE}[{JAW}]", 0)
        textured = "edgeface.stage.rig.meshes[0].mesh.material.map.image.width"
        assert browser.execute_script(f"return {textured}") == 1
        found = browser.execute_script("return edgeface.stage.rig.found")
        assert tuple(found) == read_avatar(path).shapes
        assert all(url.startswith(server.url) for url in requested(browser))
        assert script_errors(browser) == []


def test_a_head_without_a_bone_turns_as_a_whole(browser, shm_name, actor, tmp_path):
    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    rewrite(path, path, lambda scene: scene["nodes"][0].update(name="bust"))
    with page(browser, shm_name, path):
        rest = picture(browser)
        actor.show(head=(0, 0.4, 0, 0.1, 0, 0))
        settled(browser, "edgeface.stage.rig.root.rotation.y", 0.4)
        assert changed_pixels(rest, picture(browser)) > 1000


@pytest.mark.parametrize("version", [0, 1])
def test_a_vrm_speaks_with_its_vowels_and_looks_with_its_eyes(
    browser, shm_name, actor, tmp_path, version
):
    path = str(tmp_path / "head.vrm")
    write_vrm(path, version)
    with page(browser, shm_name, path):
        rest = picture(browser)
        actor.show(jawOpen=0.6, eyeBlinkLeft=1, eyeBlinkRight=1, gaze=(0.2, 0, 0.2, 0))
        expression = "edgeface.stage.rig.vrm.expressionManager.getValue"
        settled(browser, f"{expression}('aa')", 1)
        settled(browser, f"{expression}('blink')", 1)
        settled(browser, f"{INFLUENCE}[0]", 1)
        settled(browser, "edgeface.stage.rig.eyes[0].node.rotation.y", 0.2)
        assert changed_pixels(rest, picture(browser)) > 150
        assert script_errors(browser) == []


def test_a_file_that_cannot_be_shown_is_named_and_the_drawn_face_stays(browser, shm_name, tmp_path):
    path = str(tmp_path / "head.glb")
    write_avatar(path, BLENDSHAPES)
    with open(path, "rb") as file:
        data = file.read()
    rewrite(path, path, lambda scene: scene["bufferViews"][0].update(byteOffset=1 << 28))
    part_lost = (tmp_path / "head.glb").read_bytes()
    write_head(str(tmp_path / "plain.glb"), ["smirk"])
    for damaged, sentence in (
        (data[:-40], "damaged"),
        (part_lost, "cannot be shown"),
        ((tmp_path / "plain.glb").read_bytes(), "no face"),
    ):
        with open(path, "wb") as file:
            file.write(damaged)
        there = "document.getElementById('notices').textContent && edgeface.drawn > 3"
        with page(browser, shm_name, path, there):
            assert sentence in browser.find_element("id", "notices").text
            assert not browser.execute_script(COVERED)


def test_without_webgl_the_drawn_face_stays(browser, shm_name, tmp_path):
    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    hidden = browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "const known = HTMLCanvasElement.prototype.getContext;"
            "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
            " return kind.startsWith('webgl') ? null : known.call(this, kind, ...more); };"
        },
    )
    browser.get_log("browser")
    with page(browser, shm_name, path, "edgeface.drawn > 3"):
        wait_for(
            lambda: any("no WebGL" in entry["message"] for entry in browser.get_log("browser"))
        )
        before = browser.execute_script("return edgeface.drawn")
        wait_for(lambda: browser.execute_script("return edgeface.drawn") > before + 3)
        assert browser.find_element("id", "notices").text == ""
        assert not browser.execute_script(COVERED)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", hidden)


def test_the_drawn_face_steps_in_while_webgl_is_lost(browser, shm_name, tmp_path):
    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    with page(browser, shm_name, path):
        wait_for(lambda: browser.execute_script(COVERED))
        for change, covered in (("forceContextLoss", False), ("forceContextRestore", True)):
            browser.execute_script(f"edgeface.stage.renderer.{change}()")
            wait_for(lambda want=covered: browser.execute_script(COVERED) == want)


LATE = """
const done = arguments[0];
Promise.all([import("./web/face.js"), import("./motion.js")]).then(([{ Face }, { Motion }]) => {
  let now = 1000;
  performance.now = () => now;
  const face = new Face(null), motion = new Motion(face, { blendshapes: [0] }), shown = [];
  const frame = (k, value) => ({ audio_ms: 5000 + 40 * k, blendshapes: [value] });
  for (let k = 0; k < 120; k++) {
    // frames 20 to 39 come at once, at the end; from 60 on there is no writer, from 80 on a new one
    const value = k >= 20 && k < 60 ? 1 : 0;
    if (k === 39) for (let late = 20; late < 40; late++) face.take(frame(late, 1));
    else if (k === 60) face.take({ state: "gone" });
    else if (k >= 80) face.take({ ...frame(k - 80, 1) });
    else if (k < 20 || k > 39 && k < 60) face.take(frame(k, value));
    for (let step = 0; step < 4; step++) { shown.push(motion.now().blendshapes[0]); now += 10; }
  }
  done(shown);
});
"""


def test_the_picture_never_jumps(browser, shm_name, tmp_path):
    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    with page(browser, shm_name, path):
        shown = np.array(browser.execute_async_script(LATE)).reshape(120, 4)
    steps = np.abs(np.diff(shown.ravel()))
    assert steps.max() < 0.27  # 10 ms of two frames that differ by 1 move a quarter
    assert shown[:38].max() < 0.01 and shown[50:59].min() > 0.99
    assert shown[75:79].max() < 0.1 and shown[110:].min() > 0.99


def test_names_and_vowels_are_those_of_the_command_and_of_the_bridge(browser, shm_name, tmp_path):
    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    faces = np.random.default_rng(5).uniform(0, 0.4, (20, 52)).round(4)
    spellings = [spelling for written in SPELLINGS.values() for spelling in written]
    script = """
const [names, spellings, faces, done] = arguments;
const named = (face) => Object.fromEntries(names.map((name, i) => [name, face[i]]));
Promise.all([import("./web/face.js"), import("./vowels.js")]).then(([{ plain }, { vowels }]) =>
  done([spellings.map(plain), faces.map((face) => vowels(named(face)))]));
"""
    with page(browser, shm_name, path):
        names, mouths = browser.execute_async_script(script, BLENDSHAPES, spellings, faces.tolist())
    assert names == [plain(spelling) for spelling in spellings]
    for face, mouth in zip(faces, mouths):
        expected = vowels(face.tolist())
        np.testing.assert_allclose([mouth[key] for key in ("aa", "ih", "ou", "ee", "oh")], expected)


def test_a_film_shows_what_the_page_shows(browser, shm_name, actor, bundle, tmp_path):
    from PIL import Image

    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    (tmp_path / "head.yaml").write_text(
        "background: {colour: '#306090'}\nmotion: {shapes: {eyeBlinkLeft: {gain: 50}}}"
    )
    size = {"width": 400, "height": 400, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    with page(browser, shm_name, path):
        actor.show(head=(0.1, 0.3, 0, 0, 0, 0), jawOpen=1, eyeBlinkLeft=1)
        settled(browser, f"{INFLUENCE}[{BLINK}]", 0.5)
        settled(browser, f"{INFLUENCE}[{JAW}]", 1)
        time.sleep(0.5)
        shown = picture(browser)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    with Painter(bundle.neutral, path) as painter:
        pictures = [
            np.asarray(Image.open(io.BytesIO(picture)))
            for transparent in (False, True)
            for picture in painter.paint([actor.face], 400, "png", transparent)
        ]
    rendered, alone = pictures
    seen = slice(370), slice(None)  # above the status
    assert np.abs(shown[seen] - rendered[seen][..., :3]).mean() < 0.5
    assert alone[5, 5].tolist() == [0, 0, 0, 0] and alone[200, 200, 3] == 255
    assert changed_pixels(rendered[..., :3].astype(int), alone[..., :3].astype(int)) > 1000


def test_a_day_does_not_fill_the_memory(browser, shm_name, tmp_path):
    """Minutes of it: `day.py` is the whole one."""
    path = str(tmp_path / "head.glb")
    write_head(path, BLENDSHAPES)
    with page(browser, shm_name, path):
        used = list(heaps(browser, 4, 600))
    assert used[-1] - used[1] < 100_000
