"""A daemon with a fresh HOME on a real sound server, what is said to it, and what it heard."""

import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

from edgeface import Voice
from support.process import wait_for
from support.watcher import Watcher

RATE_HZ, VOICE_S, PEAK = 16000, 0.8, 12000
TONE = (PEAK * np.sin(np.arange(int(RATE_HZ * VOICE_S)) * 0.1)).astype("<i2")
TONE_DBFS = 20 * np.log10(PEAK / 32768 / np.sqrt(2))
WHOLE_S = VOICE_S - 0.02  # half a frame less is a voice that was cut
FRAME_S, PATIENCE_S = 0.04, 10.0
HOLD_S = 0.8  # a little more than `audio.hold_ms`
RUNNING, WAITING = 1, 2
HEALTH = ("MB", "descriptors", "threads", "children")
OWN = {"program", "how", "log", "config", "stderr", "tone.raw"}  # in HOME: of this program

PROGRAM = """
import sys, time
while True:
    how = open(sys.argv[1]).read()
    if how == "end":
        sys.exit(1)
    if how == "flood":
        sys.stderr.write("no such device\\n" * 1000)
    if how != "hang":
        sys.stdout.buffer.write(bytes(640))
        sys.stdout.flush()
    time.sleep(0.02)
"""

CONFIG = """
audio: {{sources: ['unix:{home}/voice', 'cmd:{python} {home}/program {home}/how', 'mic:edgemic'],
  playback: edgespk}}
output: {{shm: {shm}}}
telemetry: {{log: '{home}/log', interval_s: 1, prometheus: '{home}/edgeface.prom'}}
"""


class Kiosk:
    """A daemon with a fresh HOME, and everything that is measured on it."""

    def __init__(self, server):
        self.server = server
        self.home = tempfile.mkdtemp()
        self.shm = f"edgeface-day-{os.getpid()}"
        self.socket = f"{self.home}/voice"
        self._write("program", PROGRAM)
        self.let_program("speak")
        config = CONFIG.format(home=self.home, shm=self.shm, python=sys.executable)
        self._write("config", config)
        TONE.tofile(f"{self.home}/tone.raw")
        with open(f"{self.home}/stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edgeface", "run", "--config", f"{self.home}/config"],
                env=self._environment(),
                stderr=stderr,
            )
        self.watcher = Watcher(self.shm)
        self.wait_for_state(RUNNING)

    def _environment(self):
        """The sound server's, but for everything that says where files go."""
        kept = {
            key: value
            for key, value in self.server.environment.items()
            if not key.startswith(("XDG_", "PULSE_")) or key == "PULSE_SERVER"
        }
        folders = ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME", "DATA_HOME", "STATE_HOME")
        xdg = {f"XDG_{folder}": f"{self.home}/xdg/{folder}" for folder in folders}
        for folder in xdg.values():
            os.makedirs(folder, mode=0o700)
        os.mkdir(f"{self.home}/tmp")
        return dict(kept, HOME=self.home, TMPDIR=f"{self.home}/tmp", **xdg)

    def _write(self, name, text):
        with open(f"{self.home}/{name}", "w") as file:
            file.write(text)

    def let_program(self, how):
        """Tells the program of `cmd:` how to behave: `speak` (silence), end, flood or hang."""
        self._write("how.new", how)
        os.replace(f"{self.home}/how.new", f"{self.home}/how")

    def wait_for_state(self, state):
        wait_for(lambda: self.watcher.header.get("state") == state, 60.0)

    def lines(self):
        with open(f"{self.home}/stderr", errors="replace") as file:
            return file.read().splitlines()

    def say(self):
        """Speaks through the socket; how many seconds of the tone the face heard."""
        began = len(self.watcher.frames)
        with Voice(self.socket) as voice:
            voice.say(TONE.tobytes(), RATE_HZ)
        return self._heard(began)

    def speak_into_the_microphone(self):
        """Plays the tone to where the microphone listens; how many seconds the face heard."""
        time.sleep(HOLD_S)  # until then the socket's last voice has the word
        began = len(self.watcher.frames)
        raw = ["--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1"]
        subprocess.call(
            ["paplay", "--device=spk", *raw, f"{self.home}/tone.raw"], env=self.server.environment
        )
        return self._heard(began)

    def _heard(self, began):
        """Seconds of the tone in the frames from number `began` on, once it has been heard out."""

        def heard_s():
            levels_dbfs = [frame.rms_dbfs for frame in watcher.frames[began:]]
            return sum(FRAME_S * 10 ** ((level - TONE_DBFS) / 10) for level in levels_dbfs)

        watcher, end_s = self.watcher, time.monotonic() + PATIENCE_S
        while heard_s() < WHOLE_S and time.monotonic() < end_s:
            time.sleep(0.05)
        time.sleep(2 * FRAME_S)  # more than was said is a mistake, too
        return heard_s()

    def health(self):
        """Memory in MB, descriptors, threads and child processes of the daemon."""
        folder = f"/proc/{self.process.pid}"
        with open(f"{folder}/statm") as file:
            memory_mb = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        with open(f"{folder}/task/{self.process.pid}/children") as file:
            children = len(file.read().split())
        counts = [len(os.listdir(f"{folder}/{what}")) for what in ("fd", "task")]
        return [memory_mb, *counts, children]

    def end(self):
        """Ends the daemon; its exit status, seconds to the end and what it leaves in HOME."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        took_s = time.monotonic() - began
        self.watcher.close()
        return status, took_s, [n for n in files(self.home) if n.split("/")[0] not in OWN]


def files(folder):
    """All files below a folder, relative to it."""
    return sorted(
        os.path.relpath(os.path.join(path, name), folder)
        for path, _, names in os.walk(folder)
        for name in names
    )
