"""What a picture of the page costs in Chromium without a graphics card, and its memory.

    PYTHONPATH=.:tests .venv/bin/python tests/view/figures.py [FILE.glb]

The drawn face, then the file; without one, a made-up head of 900 triangles with 52 shapes. Nobody
writes the segment.
"""

import os
import re
import sys
import tempfile

from support.browser import chromium
from support.glb import write_head
from support.process import start, wait_for

from edgeface.motion.face import BLENDSHAPES

DRAWN, AVATAR = ("--disable-gpu",), ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
# reading a pixel waits until the picture is drawn
COST = """
window.requestAnimationFrame = () => 0; // pictures are drawn here
edgeface.detail.share = 1; // whatever was too slow meanwhile
dispatchEvent(new Event("resize"));
const { stage } = edgeface, costs = [], pixel = new Uint8Array(4);
const gl = stage && stage.renderer.getContext();
for (let k = 0; k < 20; k++) {
  const began = performance.now();
  edgeface.draw(began);
  if (gl) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  else document.getElementById("face").getContext("2d").getImageData(0, 0, 1, 1);
  costs.push(performance.now() - began);
}
costs.sort((a, b) => a - b);
const triangles = stage ? stage.renderer.info.render.triangles : 0;
return [innerWidth, innerHeight, triangles, costs[0], costs[10],
        performance.memory.usedJSHeapSize / 1e6];
"""


def memory_mb(browser):
    """Memory of all the browser's processes, what they share counted once."""
    waiting, total = [browser.service.process.pid], 0.0
    while waiting:
        pid = waiting.pop()
        children = []
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                children += [int(child) for child in file.read().split()]
        for child in children:
            with open(f"/proc/{child}/smaps_rollup") as file:
                total += int(re.search(r"Pss: *(\d+)", file.read()).group(1)) / 1e3
        waiting += children
    return total


def measure(path):
    more = ("--avatar", path) if path else ()
    view = start("view", "--port", "0", "--shm", f"edgeface-figures-{os.getpid()}", *more)
    try:
        url = re.search(r"http://\S+", view.stdout.readline()).group(0)
        for width, height in SIZES:
            with chromium(*(AVATAR if path else DRAWN)) as browser:
                size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                browser.get(url)
                ready = "window.edgeface && edgeface.drawn > 2"
                ready += " && !document.getElementById('stage').hidden" if path else ""
                wait_for(lambda b=browser, r=ready: b.execute_script(f"return {r}"), 60)
                print(
                    "{} x {}, {} triangles: best {:.1f}, median {:.1f} ms a picture;"
                    " heap {:.0f} MB, browser {:.0f} MB".format(
                        *browser.execute_script(COST), memory_mb(browser)
                    ),
                    flush=True,
                )
    finally:
        view.terminate()


def main(path):
    measure("")
    measure(path)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_head(f"{folder}/head.glb", BLENDSHAPES)
            main(f"{folder}/head.glb")
