"""A day of the page, as fast as Chromium can: frames through the page's own code, heap by the hour.

    PYTHONPATH=.:tests .venv/bin/python tests/view/day.py [FILE.glb]

Every frame is parsed and taken, and one in a second drawn, on a small screen. In every hour the
writer goes and comes back, frames are late, captions change, and the screen is resized.
"""

import os
import re
import sys

import numpy as np
from support.browser import chromium
from support.process import start, wait_for

from edgeface.build import build_pipeline, load_model
from edgeface.config import Settings
from edgeface.core.resources import BUNDLED_VOICE
from edgeface.shm.slot import ReadFrame
from edgeface.source.file import read_whole
from edgeface.web.message import frame_message

FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
FRAMES_AN_HOUR = 25 * 3600
EACH = 25
A_CALL = 5000  # Selenium waits two minutes at most
PUSH = """
const [texts, count, each, done] = arguments;
if (!window.day) {
  window.day = { frame: 0, now: performance.now() };
  performance.now = () => day.now;
  window.requestAnimationFrame = () => 0; // pictures are drawn here
}
const end = day.frame + count;
const push = () => {
  for (let k = 0; k < 500 && day.frame < end; k++, day.frame++) {
    const part = day.frame % 5000, late = part >= 2000 && part < 2020;
    if (part === 1000) edgeface.take({ state: "gone" });
    if (!late) day.now += 40;
    if (day.frame % each === 0) edgeface.draw(day.now);
    if (part >= 1000 && part < 1100) continue; // no writer
    const message = JSON.parse(texts[day.frame % texts.length]);
    Object.assign(message, { index: day.frame, audio_ms: 40 * day.frame, publish_ms: 40 * day.frame + 120 });
    message.caption = { text: part % 250 < 100 ? `sentence ${day.frame - part % 250}` : "", listening: part % 500 < 250 };
    edgeface.take(message);
    if (part === 4000) dispatchEvent(new Event("resize"));
  }
  if (day.frame < end) setTimeout(push); // lets the browser collect, as between pictures
  else done(edgeface.drawn);
};
push();
"""  # noqa: E501


def messages():
    """The bundled voice's frames, as the page gets them."""
    model = load_model()
    pipeline = build_pipeline(Settings(), model)
    frames = pipeline.accept(read_whole(BUNDLED_VOICE)[: 16000 * 8]) + pipeline.finish()
    header = {"state": 1}
    times = dict.fromkeys(("audio_sample", "audio_ns", "publish_ns"), 0)
    read = (
        ReadFrame(**{name: getattr(frame, name, times.get(name)) for name in ReadFrame._fields})
        for frame in frames
    )
    return [frame_message(frame, header) for frame in read]


def heaps(browser, hours, frames_an_hour, each=1):
    """Yields the heap in bytes, without garbage, after each hour; the first one warms up.

    :param each: how many frames a picture is drawn of
    """
    texts = messages()
    browser.set_script_timeout(110)
    small = {"width": 64, "height": 64, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", small)
    for _ in range(hours):
        for at in range(0, frames_an_hour, A_CALL):
            browser.execute_async_script(PUSH, texts, min(A_CALL, frames_an_hour - at), each)
        browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        yield browser.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"]


def main(avatar):
    more = ("--avatar", avatar) if avatar else ()
    view = start("view", "--port", "0", "--shm", f"edgeface-day-{os.getpid()}", *more)
    try:
        url = re.search(r"http://\S+", view.stdout.readline()).group(0)
        with chromium(*(FLAGS if avatar else ("--disable-gpu",))) as browser:
            browser.get(url)
            ready = "window.edgeface && edgeface.drawn > 3"
            ready += " && !document.getElementById('stage').hidden" if avatar else ""
            wait_for(lambda: browser.execute_script(f"return {ready}"), 60)
            used = []
            for hour, size in enumerate(heaps(browser, 25, FRAMES_AN_HOUR, EACH)):
                used.append(size)
                print(f"hour {hour}: {size / 1e6:.3f} MB", flush=True)
            slope = np.polyfit(range(24), used[1:], 1)[0]
            print(
                f"growth: {slope / 1e3:.2f} kB an hour, {(used[-1] - used[1]) / 1e3:.0f} kB a day"
            )
    finally:
        view.terminate()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
