"""edgeface's own heads: their files, and their pictures in a Chromium without a graphics card."""

import base64
import io
import os
import threading

import numpy as np
import pytest
from support.browser import chromium, script_errors
from support.process import wait_for
from support.three import install_three

from edgeface.motion.face import BLENDSHAPES
from edgeface.view.avatar import read_avatar
from edgeface.view.looks import HEADS, LOOKS, head_of
from edgeface.view.server import PageServer

LARGEST = 810_000  # bytes
SOFTWARE = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--window-size=260,400")
COVERED = "!document.getElementById('stage').hidden"
# a picture of a face over white, of the head alone
SHOW = """
const [shapes, head, gaze] = arguments, { rig, renderer, scene, camera } = edgeface.stage;
const size = 240, canvas = document.createElement("canvas"), flat = canvas.getContext("2d");
window.requestAnimationFrame = () => 0;
renderer.setPixelRatio(1);
renderer.setSize(size, size, false);
Object.assign(camera, { aspect: 1, zoom: 1.8 }).updateProjectionMatrix();
rig.show({ blendshapes: rig.names.map((name) => shapes[name] || 0), head, gaze }, 0.04);
renderer.render(scene, camera);
canvas.width = canvas.height = size;
flat.fillStyle = "white";
flat.fillRect(0, 0, size, size);
flat.drawImage(renderer.domElement, 0, 0);
return canvas.toDataURL().split(",")[1];
"""


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_has_all_shapes_head_and_eyes_in_a_small_file_that_is_free(look):
    avatar = read_avatar(head_of(look))
    assert avatar.shapes == tuple(BLENDSHAPES)
    assert avatar.parts == ("head", "left eye", "right eye")
    assert os.path.getsize(head_of(look)) < LARGEST
    with open(os.path.join(HEADS, "LICENSE"), encoding="utf-8") as file:
        assert "CC0 1.0 Universal" in file.read()


@pytest.fixture(scope="module")
def browser():
    install_three()
    with chromium(*SOFTWARE, requests=True) as driver:
        driver.set_script_timeout(120)
        yield driver


@pytest.fixture
def page(browser, shm_name):
    """Opens the page with a look."""
    opened = []

    def open_page(own, until):
        server = PageServer(0, shm_name, [[0.01 * k, 0, 0] for k in range(68)], head_of("ada"), own)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        opened.append((server, thread))
        browser.get(server.url)
        wait_for(lambda: browser.execute_script(f"return window.edgeface && {until}"), 120)

    yield open_page
    browser.get("about:blank")
    for server, thread in opened:
        server.shutdown()
        thread.join()
        server.server_close()


def said(browser, words):
    wait_for(lambda: any(words in entry["message"] for entry in browser.get_log("browser")), 120)


@pytest.mark.system
def test_the_mouth_lids_eyes_and_head_of_a_look_move_in_its_picture(browser, page):
    from PIL import Image

    page("chosen", f"{COVERED} && edgeface.drawn > 3")

    def picture(head=(0,) * 6, gaze=(0,) * 4, **shapes):
        data = browser.execute_script(SHOW, shapes, head, gaze)
        image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
        return np.asarray(image).astype(int)

    rest = picture()

    def changed(other):
        return np.argwhere(np.abs(other - rest).sum(axis=-1) > 60)

    jaws = (0.15, 0.3, 0.5, 0.8)
    counts = [len(changed(picture(jawOpen=jaw))) for jaw in jaws]
    assert np.all(np.diff(counts) > 0)
    assert np.corrcoef(jaws, counts)[0, 1] > 0.95
    opened = np.argwhere((rest - picture(jawOpen=0.4)).sum(axis=-1) > 150)  # darker: the mouth
    closed = np.argwhere((rest - picture(jawOpen=0.4, mouthClose=0.4)).sum(axis=-1) > 150)
    assert len(closed) < 0.4 * len(opened)
    mouth = opened.mean(axis=0)
    lids = changed(picture(eyeBlinkLeft=1, eyeBlinkRight=1))
    assert len(lids) > 60 and lids[:, 0].max() < mouth[0] - 20
    looks = changed(picture(gaze=(0.4, 0, 0.4, 0)))  # no shape: the eyes themselves turn
    assert len(looks) > 10 and np.abs(looks[:, 0] - lids[:, 0].mean()).max() < 20
    assert len(changed(picture(head=(0, 0.4, 0, 0, 0, 0)))) > 2000
    assert script_errors(browser) == []


@pytest.mark.system
def test_a_head_that_nobody_chose_gives_way_where_it_is_too_slow(browser, page):
    unaware = browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "const known = WebGL2RenderingContext.prototype.getParameter;"
            "WebGL2RenderingContext.prototype.getParameter = function (name) {"
            " return name === 0x9246 ? 'a graphics card' : known.call(this, name); };"
        },
    )
    browser.get_log("browser")
    page("offered", "edgeface.drawn > 3")
    said(browser, "too slow")
    assert not browser.execute_script(f"return {COVERED}")
    drawn = browser.execute_script("return edgeface.drawn")
    wait_for(lambda: browser.execute_script("return edgeface.drawn") > drawn + 3)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", unaware)


@pytest.mark.system
def test_where_nobody_chose_a_head_a_browser_without_a_graphics_card_draws_the_face(browser, page):
    browser.get_log("browser")
    page("offered", "edgeface.drawn > 3")
    said(browser, "no graphics card")
    assert not browser.execute_script(f"return {COVERED}")
    assert browser.find_element("id", "notices").text == ""
