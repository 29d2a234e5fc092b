"""What a picture of an avatar costs in Chromium without a graphics card.

    PYTHONPATH=.:tests .venv/bin/python tests/view/figures.py [FILE.glb]

Without a file, a made-up head of 900 triangles with 52 shapes. Nobody writes the segment.
"""

import os
import re
import sys
import tempfile

from support.browser import chromium
from support.glb import write_head
from support.process import start, wait_for

from edgeface.motion.face import BLENDSHAPES

FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
SIZES = ((640, 480), (1280, 720), (1920, 1080))
# reading a pixel waits until the picture is drawn
COST = """
const { rig, motion, renderer, scene, camera } = edgeface.stage, gl = renderer.getContext();
const costs = [], pixel = new Uint8Array(4);
for (let k = 0; k < 20; k++) {
  const began = performance.now();
  rig.show(motion.now(), 0.016);
  renderer.render(scene, camera);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  costs.push(performance.now() - began);
}
costs.sort((a, b) => a - b);
return [innerWidth, innerHeight, renderer.info.render.triangles, costs[0], costs[10],
        performance.memory.usedJSHeapSize / 1e6];
"""


def main(path):
    view = start(
        "view", "--port", "0", "--shm", f"edgeface-figures-{os.getpid()}", "--avatar", path
    )
    try:
        url = re.search(r"http://\S+", view.stdout.readline()).group(0)
        with chromium(*FLAGS) as browser:
            for size in SIZES:
                browser.set_window_size(*size)
                browser.get(url)
                wait_for(lambda: browser.execute_script("return edgeface.stage?.drawn > 5"), 60)
                print(
                    "{} x {}, {} triangles: best {:.1f}, median {:.1f} ms a picture;"
                    " heap {:.0f} MB".format(*browser.execute_script(COST))
                )
    finally:
        view.terminate()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_head(f"{folder}/head.glb", BLENDSHAPES)
            main(f"{folder}/head.glb")
