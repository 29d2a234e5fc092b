"""The example pages in a real Chromium, with the libraries that they are written for."""

import functools
import http.server
import os
import shutil

import numpy as np
import pytest
from support.browser import chromium, script_errors
from support.glb import write_avatar, write_head
from support.npm import node_modules
from support.process import start, wait_for
from support.serving import serving

import edgeface
from edgeface.motion.face import BLENDSHAPES
from edgeface.web.access import Access
from edgeface.web.server import Server

pytestmark = pytest.mark.system

EXAMPLES = os.path.join(os.path.dirname(edgeface.__file__), "examples", "web")
VOICE = os.path.join(os.path.dirname(edgeface.__file__), "voice.flac")
JAW = BLENDSHAPES.index("jawOpen")

# what the page shows, when, and between which frames that is
WATCH = """
window.watched = [];
const { face } = example, shapes = face.shapes;
let pair = [];
face.shapes = () => { pair = face.frames; return shapes.call(face); };
const look = () => {
  const [a, b] = pair;
  if (b && face.time)
    watched.push([JAW_OPEN, face.time, a.index, b.index, a.audio_ms, b.audio_ms]);
  requestAnimationFrame(look);
};
look();
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Address of the examples, with a head and an avatar beside them."""
    folder = tmp_path_factory.mktemp("site") / "web"
    shutil.copytree(EXAMPLES, str(folder), ignore=shutil.ignore_patterns("node_modules"))
    os.symlink(node_modules(EXAMPLES), str(folder / "node_modules"))
    usual = [name.replace("Left", "_L").replace("Right", "_R") for name in BLENDSHAPES]
    write_head(str(folder / "head.glb"), [f"blendShape1.{name}" for name in usual])
    write_avatar(str(folder / "avatar.glb"), BLENDSHAPES)
    handler = functools.partial(_Quiet, directory=str(folder))
    with serving(http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture(scope="module")
def browser():
    # without a graphics card
    flags = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--window-size=500,500")
    with chromium(*flags) as driver:
        yield driver


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def shown(browser, url, jaw_open, shm_name, folder):
    """What a page shows while a daemon speaks: rows of `WATCH`, and the published jawOpen [T]."""
    frames = f"{folder}/frames.npz"
    with serving(Server("127.0.0.1", 0, shm_name, Access("127.0.0.1"))) as web:
        browser.get(f"{url}&frames={web.url}frames")
        wait_for(lambda: browser.execute_script(f"return {jaw_open} !== undefined"))
        browser.execute_script(WATCH.replace("JAW_OPEN", jaw_open))
        daemon = start("run", "--source", VOICE, "--shm", shm_name, "--frames-out", frames)
        far = "return watched.length && watched[watched.length - 1][3]"
        wait_for(lambda: browser.execute_script(far) > 90, 40.0)
        rows = np.array(browser.execute_script("return watched"))
        daemon.terminate()
        assert daemon.wait() == 0
        assert script_errors(browser) == []
        browser.get("about:blank")
    with np.load(frames) as motion:
        return rows, motion["blendshapes"][:, JAW]


def assert_follows(rows, published):
    value, time_ms, a, b, a_ms, b_ms = rows.T
    part = (time_ms - a_ms) / (b_ms - a_ms)
    before, after = (published[index.astype(int)] for index in (a, b))
    np.testing.assert_allclose(value, before + part * (after - before), atol=2e-4)
    assert np.ptp(value) > 0.05  # it spoke


def test_three_turns_the_head(browser, site):
    browser.get(f"{site}/three.html?model=head.glb&frames=data:,")
    wait_for(lambda: browser.execute_script("return window.example && example.heads.length"))
    turned = """
const [angle, done] = arguments;
const frame = { blendshapes: [0], head: [0, angle, 0, 0, 0, 0], gaze: [0, 0, 0, 0] };
example.face.take({ names: ["jawOpen"], frame_ms: 40 });
for (const k of [0, 1]) example.face.take({ ...frame, audio_ms: performance.now() + k });
requestAnimationFrame(() => requestAnimationFrame(() => done(example.neck().node.rotation.y)));
"""
    assert browser.execute_async_script(turned, 0.3) == pytest.approx(0.3, abs=1e-3)
    browser.get("about:blank")
    browser.get_log("browser")


def test_three_moves_a_head_whose_shapes_have_other_names(browser, site, shm_name, tmp_path):
    influence = "example.heads[0]?.morphTargetInfluences[JAW]".replace("JAW", str(JAW))
    url = f"{site}/three.html?model=head.glb"
    assert_follows(*shown(browser, url, influence, shm_name, tmp_path))


def test_talking_head_moves_its_avatar(browser, site, shm_name, tmp_path):
    influence = "example.head.morphs?.[0].morphTargetInfluences[JAW]".replace("JAW", str(JAW))
    url = f"{site}/talkinghead.html?avatar=avatar.glb"
    assert_follows(*shown(browser, url, influence, shm_name, tmp_path))


READ_BOTH = """
const [url, done] = arguments;
const heard = [];
const hear = (kind, what) => {
  heard.push([kind, what]);
  if (heard.length === 2) done(heard.sort());
};
const sse = new EventSource(url), ws = new WebSocket(url.replace("http", "ws"));
sse.onmessage = (event) => { hear("sse", JSON.parse(event.data).names.length); sse.close(); };
ws.onmessage = (event) => { hear("ws", JSON.parse(event.data).names.length); ws.close(); };
sse.onerror = () => { hear("sse", "refused"); sse.close(); };
ws.onerror = () => hear("ws", "refused");
"""


def test_pages_of_this_machine_read_both_streams_and_others_none(browser, site, shm_name):
    with serving(Server("127.0.0.1", 0, shm_name, Access("127.0.0.1"))) as web:
        for host, heard in (("127.0.0.1", 52), ("localhost", 52), ("127.0.0.2", "refused")):
            browser.get(f"{site.replace('127.0.0.1', host)}/package.json")
            both = browser.execute_async_script(READ_BOTH, f"{web.url}frames")
            assert both == [["sse", heard], ["ws", heard]], host
        wait_for(lambda: web.frames.clients == 0)  # it said goodbye
        assert web.counts.sums.refused == 2


def test_the_face_moves_between_frames_and_rests_without_them(browser, site):
    browser.get(f"{site}/three.html?model=head.glb")
    script = """
const done = arguments[0];
let now = 1000;
performance.now = () => now;
import("./face.js").then(({ Face }) => {
  const face = new Face("about:blank");
  const frame = (index, audio_ms, value) => face.take({ index, audio_ms, blendshapes: [value] });
  const at = (ms) => { now = ms; return (face.shapes() || { jawOpen: null }).jawOpen; };
  face.take({ names: ["jawOpen"], frame_ms: 40 });
  frame(0, 7000, 0);
  const values = [at(1000)]; // one frame is none to move from
  now = 1045; frame(1, 7040, 0.8); // 5 ms late, which shifts nothing
  values.push(at(1040), at(1050), at(1060), at(1080), at(1090), at(1581));
  now = 1600; frame(0, 90, 0.5); // a new writer
  values.push(at(1600));
  now = 1640; frame(1, 130, 0.7);
  values.push(at(1640), at(1660));
  face.take({ state: "gone" });
  done([...values, at(1661)]);
});
"""
    values = browser.execute_async_script(script)
    moved = [None, 0, 0.2, 0.4, 0.8, 0.8, None, None, 0.5, 0.6, None]
    assert [value is None for value in values] == [value is None for value in moved]
    for value, expected in zip(values, moved):
        assert value is None or abs(value - expected) < 0.001


def test_names_are_found_in_every_usual_spelling(browser, site):
    browser.get(f"{site}/three.html?model=head.glb")
    spellings = {
        "jawOpen": ("jawOpen", "JawOpen", "jaw_open", "blendShape1.jawOpen", "head_bs:JawOpen"),
        "eyeBlinkLeft": ("eyeBlinkLeft", "eyeBlink_L", "eyeBlink.L", "EyeBlink_l", "eyeBlinkL"),
        "mouthSmileRight": ("mouthSmileRight", "bs.mouthSmile_R", "mouthSmile.R", "mouthSmileR"),
        "mouthLeft": ("mouthLeft", "MouthLeft", "mouth_left"),
    }
    script = """
const [names, spelling, done] = arguments;
import("./face.js").then(({ morphs }) => {
  const found = morphs({ morphTargetDictionary: { other: 0, [spelling]: 7 } }, names);
  done([...found]);
});
"""
    for name, written in spellings.items():
        for spelling in written:
            found = browser.execute_async_script(script, list(BLENDSHAPES), spelling)
            assert found == [[name, 7]], spelling
