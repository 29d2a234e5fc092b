"""Measures what a year of operation needs: recovery times, and what a day of sound leaves behind.

`make reliability` runs both, from the root of a clone:

reliability.py losses [N]     N losses of each kind on each real sound server (default 50)
reliability.py soak [HOURS]   so many hours of sound (default 24), as fast as possible, with losses
"""

import os
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
from support.process import wait_for
from support.sound import SERVERS

from edgeface.build import build_pipeline, load_model
from edgeface.config import Settings
from edgeface.core.resources import BUNDLED_VOICE
from edgeface.daemon.loop import Loop
from edgeface.daemon.parts import Parts
from edgeface.daemon.stats import Stats
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer
from edgeface.source.base import Block, SourceLost
from edgeface.source.file import read_whole
from edgeface.source.selector import Selector
from edgeface.source.supervisor import Supervisor
from edgeface.telemetry.log import LogWriter
from edgeface.telemetry.recorder import Recorder

LOSS_EVERY_S = 300.0  # of sound


def losses(count):
    """Prints how long the daemon takes to notice a loss, and to be back once the device is."""
    for kind in SERVERS.values():
        print(kind.name)
        _losses_on(kind(tempfile.mkdtemp()), count)


def _losses_on(server, count):
    server.start()
    name = f"edgeface-reliability-{os.getpid()}"
    daemon = subprocess.Popen(
        [sys.executable, "-m", "edgeface", "run", "--source", "mic:edgemic", "--shm", name],
        env=server.environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        _lose(server, daemon, name, count)
    finally:
        daemon.terminate()
        daemon.wait()
        server.stop()


def _lose(server, daemon, name, count):
    kinds = (
        ("server killed", server.stop, server.start),
        ("server hung", server.hang, server.resume),
        ("source unplugged, replaced in silence", server.unplug, server.plug),
    )
    print(
        f"{count} losses of each kind; seconds                 noticed p50   max"
        "   back p50   max   of which the server"
    )
    with Reader(name) as reader:
        wait_for(lambda: reader.read() is not None)
        for kind, lose, restore in kinds:
            noticed, restored, back = [], [], []
            for _ in range(count):
                time.sleep(2.2)
                began = time.monotonic()
                lose()
                wait_for(lambda: (reader.header() or {}).get("state") == 2, poll=0.002)
                noticed.append(time.monotonic() - began)
                began = time.monotonic()
                restore()
                restored.append(time.monotonic() - began)
                wait_for(lambda: (reader.header() or {}).get("state") == 1, poll=0.002)
                back.append(time.monotonic() - began)
            print(
                f"  {kind:48} {np.median(noticed):6.2f} {max(noticed):6.2f}"
                f"   {np.median(back):6.2f} {max(back):6.2f}"
                f"   {np.median(restored):6.2f}",
                flush=True,
            )
        header = reader.header()
        print(
            f"  restarts counted {header['source_restarts']}, heartbeat and frames never stopped:"
            f" process {header['pid']}, frame {header['latest']}"
        )
    with open(f"/proc/{daemon.pid}/status") as file:
        threads = next(line.split()[1] for line in file if line.startswith("Threads"))
    descriptors = len(os.listdir(f"/proc/{daemon.pid}/fd"))
    print(f"  threads {threads}, descriptors {descriptors}")


class Tape:
    """The bundled voice again and again, as fast as it is read, lost every few minutes of sound."""

    name, live, playback, pauses = "tape", True, False, False

    def __init__(self, seconds):
        self._voice = read_whole(BUNDLED_VOICE)
        self._left, self._until_loss = int(seconds * 16000), 0
        self._position = 0

    def open(self):
        self._until_loss = int(LOSS_EVERY_S * 16000)

    def close(self):
        pass

    def read(self, timeout_s, samples):
        if self._until_loss <= 0:
            raise SourceLost("tape: lost")
        if self._left <= 0:
            return None
        at = self._position % (len(self._voice) - 160)
        self._position, self._left = self._position + 160, self._left - 160
        self._until_loss -= 160
        return Block(self._voice[at : at + 160], time.monotonic_ns(), 0)


def soak(hours):
    """Prints memory, descriptors and threads while so many hours of sound pass."""
    settings, folder = Settings(), tempfile.mkdtemp()
    bundle = load_model("")
    pipeline = build_pipeline(settings, bundle)
    writer = Writer("edgeface-soak", bundle.crc32, pipeline.latency_ns)
    writer.open()
    selector = Selector([Supervisor(Tape(3600 * hours))])
    selector.open(required=True)
    stats = Stats()
    loop = Loop(Parts(settings, bundle, selector, pipeline, writer), stats)
    recorder = Recorder(stats, LogWriter(folder, 100000, 400000), 1)
    recorder.start()
    began, rows, next_s = time.monotonic(), [], [0.0]

    def look():
        heard_s = stats.published / 25
        if heard_s < next_s[0]:
            return
        next_s[0] += 3600.0 * hours / 24
        with open("/proc/self/statm") as file:
            memory_mb = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        descriptors = len(os.listdir("/proc/self/fd"))
        threads = threading.active_count()
        rows.append((heard_s / 3600, memory_mb, descriptors, threads))
        print(
            f"  {heard_s / 3600:5.1f} h  {memory_mb:7.2f} MB  {descriptors:3} descriptors"
            f"  {threads:2} threads  {stats.source_restarts:4} restarts"
            f"  {time.monotonic() - began:6.0f} s",
            flush=True,
        )

    loop.run(lambda: False, look)
    recorder.close()
    selector.close()
    writer.close()
    rows = np.array(rows)
    warm = rows[2:]  # without the first hours, in which caches fill
    memory_mb = warm[:, 1]
    slope = np.polyfit(warm[:, 0], memory_mb, 1)[0]
    print(
        f"after the warm-up: memory {24 * slope:+.3f} MB in 24 h"
        f" (largest {memory_mb.max():.2f}, smallest {memory_mb.min():.2f} MB),"
        f" descriptors {warm[-1, 2] - warm[0, 2]:+}, threads {warm[-1, 3] - warm[0, 3]:+}"
    )


if __name__ == "__main__":
    if sys.argv[1] == "losses":
        losses(int((sys.argv + ["50"])[2]))
    else:
        soak(float((sys.argv + ["24"])[2]))
