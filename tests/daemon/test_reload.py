"""A reload that fails leaves the daemon as it was; one that takes long does not stop its heart."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from support.process import start, wait_for

from edgeface.config import Settings, Shape
from edgeface.core.errors import EdgefaceError, UnavailableError
from edgeface.daemon import parts as parts_module
from edgeface.daemon.parts import Options, assemble, close_parts, hand_over
from edgeface.daemon.stats import Stats
from edgeface.motion.face import BLENDSHAPES
from edgeface.shm.lock import WriterLock
from edgeface.shm.reader import Reader

CONFIG = """
audio: {{sources: ['fifo:{folder}/fifo'], hold_ms: {hold_ms}, playback: '{playback}'}}
output: {{shm: {shm}, mode: '{mode}', group: '{group}'}}
model: {{bundle: '{bundle}'}}
motion: {{lookahead_ms: {lookahead_ms}, head: {head}, shapes: {shapes}}}
telemetry: {{log: '{log}', interval_s: 1}}
"""
# every call to `assemble` after the first one takes so long, as an engine that is built
SLOW = """
import edgeface.daemon.parts as parts, time
build, calls = parts.build_pipeline, []
def slow(*arguments, **options):
    calls.append(1)
    if len(calls) > 1:
        time.sleep(2.0)
    return build(*arguments, **options)
parts.build_pipeline = slow
from edgeface.cli import entry
entry()
"""


DEFAULTS = {
    "hold_ms": 500,
    "playback": "",
    "mode": "0640",
    "group": "",
    "bundle": "",
    "lookahead_ms": 80,
    "shapes": "{}",
    "head": 100,
    "log": "",
}


class Running:
    """A daemon whose configuration file a test rewrites."""

    def __init__(self, folder, shm_name, command=None):
        self._values = dict(DEFAULTS, folder=folder, shm=shm_name, log=f"{folder}/log")
        self._path = str(folder / "edgeface.yaml")
        self.write()
        arguments = ["run", "--config", self._path]
        if command is None:
            self.process = start(*arguments)
        else:
            self.process = subprocess.Popen(
                [sys.executable, "-c", command] + arguments,
                stderr=subprocess.PIPE,
                universal_newlines=True,
            )
        self.reader = Reader(shm_name)
        wait_for(lambda: self.reader.read() is not None)

    def write(self, **changes):
        self._values.update(changes)
        with open(self._path, "w") as file:
            file.write(CONFIG.format(**self._values))

    def reload(self, **changes):
        self.write(**changes)
        self.process.send_signal(signal.SIGHUP)

    def end(self):
        """Stops it; what it said."""
        self.reader.close()
        self.process.terminate()
        assert self.process.wait(2) == 0
        text = self.process.stderr.read()
        self.process.stderr.close()
        return text


@pytest.fixture
def daemon(tmp_path, shm_name):
    running = Running(tmp_path, shm_name)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def heartbeats(reader, seconds):
    """The longest time in s between two heartbeats that a reader sees, over so many seconds."""
    end, last, changed_s, longest = time.monotonic() + seconds, None, time.monotonic(), 0.0
    while time.monotonic() < end:
        now = reader.header()
        beat = (now["instance_id"], now["heartbeat_ns"]) if now is not None else None
        if beat is not None and beat != last:
            longest = max(longest, time.monotonic() - changed_s)
            last, changed_s = beat, time.monotonic()
        time.sleep(0.005)
    return max(longest, time.monotonic() - changed_s)


def test_a_segment_that_cannot_be_made_leaves_everything_as_it_was(daemon, shm_name):
    """A name whose lock is taken, a group that does not exist, a name that is none."""
    other = f"{shm_name}-other"
    lock = WriterLock(other)
    before = daemon.reader.header()
    for changes, word in (
        ({"shm": other}, "another edgeface writes it"),
        ({"shm": shm_name, "group": "nobody-of-that-name"}, "no group"),
        ({"group": "", "shm": "a/b"}, "a/b"),
        ({"shm": shm_name, "bundle": "/nowhere"}, "/nowhere"),
        ({"bundle": "", "lookahead_ms": 81}, "lookahead_ms"),
    ):
        daemon.reload(**changes)
        line = daemon.process.stderr.readline()
        assert line.startswith("edgeface: reload failed") and word in line
    latest = daemon.reader.header()["latest"]
    wait_for(lambda: daemon.reader.header()["latest"] > latest + 10)
    assert daemon.reader.header()["instance_id"] == before["instance_id"]
    lock.release()
    daemon.end()
    assert not os.path.exists(f"/dev/shm/{other}")


def test_a_calibration_is_taken_over_between_two_frames(daemon):
    """In the same segment; a wrong one changes nothing.

    In silence the lips rest, whatever is set; the least of a brow is seen at once.
    """
    brow = BLENDSHAPES.index("browInnerUp")
    header, first = daemon.reader.header(), daemon.reader.read()
    assert first.blendshapes[brow] < 0.1
    daemon.reload(shapes="{browInnerUp: {min: 40}, jawOpen: {offset: 30}}")
    frames = collect_until(daemon.reader, lambda frame: frame.blendshapes[brow] > 0.3)
    jaw, close = (BLENDSHAPES.index(name) for name in ("jawOpen", "mouthClose"))
    assert frames[-1].blendshapes[brow] == np.float32(0.4)
    assert frames[-1].blendshapes[jaw] <= frames[-1].blendshapes[close] + 0.01
    daemon.reload(shapes="{browInnerUp: {min: 40}, jawOpen: {gain: 500}}")
    wait_for(lambda: "jawOpen.gain" in daemon.process.stderr.readline())
    daemon.reload(shapes="{}")
    collect_until(daemon.reader, lambda frame: frame.blendshapes[brow] < 0.1)
    assert daemon.reader.header()["instance_id"] == header["instance_id"]
    daemon.end()


def test_another_strength_of_the_head_is_eased_into_and_a_new_model_keeps_the_pose(daemon):
    collect_until(daemon.reader, lambda frame: np.abs(frame.head[:3]).max() > 0.005)
    daemon.reload(lookahead_ms=40)
    frames = collect_until(daemon.reader, lambda _: daemon.reader.header()["latency_ns"] == 4e7)
    daemon.reload(head=0)
    frames += collect_until(daemon.reader, lambda frame: not frame.head.any())
    apart = np.diff([frame.index for frame in frames])
    steps = np.abs(np.diff([frame.head[:3] for frame in frames], axis=0)).max(axis=1)
    # 17 degrees a second; a new segment counts from 0 again
    assert (steps < 0.012 * np.clip(apart, 1, 9)).all()
    assert frames[-1].gaze.any()
    daemon.end()


def collect_until(reader, condition, seconds=20.0):
    """All frames that a reader sees until one meets a condition."""
    frames = []

    def met():
        frame = reader.read()
        if frame is not None and (not frames or frame.index > frames[-1].index):
            frames.append(frame)
            return condition(frame)
        return False

    wait_for(met, seconds, poll=0.005)
    return frames


@pytest.mark.system
def test_a_full_shm_at_a_reload_is_survived(tmp_path, shm_name):
    """Real: /dev/shm of a mount namespace has room for one segment only."""
    script = f"""
mount -t tmpfs -o size=16k tmpfs /dev/shm
{sys.executable} -m edgeface run --config {tmp_path}/edgeface.yaml 2>{tmp_path}/stderr &
daemon=$!
while [ ! -e /dev/shm/{shm_name} ]; do sleep 0.05; done
sleep 1
sed -i s/0640/0600/ {tmp_path}/edgeface.yaml
kill -HUP $daemon
sleep 2
{sys.executable} -m edgeface read --shm {shm_name} -n 5 >/dev/null || exit 3
stat -c %a /dev/shm/{shm_name}
kill $daemon
wait $daemon
"""
    values = dict(DEFAULTS, folder=tmp_path, shm=shm_name)
    (tmp_path / "edgeface.yaml").write_text(CONFIG.format(**values))
    result = subprocess.run(
        ["unshare", "--mount", "bash", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
    )
    errors = (tmp_path / "stderr").read_text()
    assert result.returncode == 0, result.stderr + errors
    assert result.stdout.strip() == "640"
    assert "reload failed" in errors and "No space left" in errors


def test_every_part_is_replaced_by_one_reload(daemon, shm_name, tmp_path):
    before = daemon.reader.header()
    daemon.reload(
        mode="0600",
        lookahead_ms=40,
        hold_ms=100,
        playback="no such device",
        log=f"{tmp_path}/log2",
    )
    wait_for(lambda: (daemon.reader.header() or {}).get("latency_ns") == 40000000)
    wait_for(lambda: daemon.reader.read() is not None)
    assert daemon.reader.header()["instance_id"] != before["instance_id"]
    assert os.stat(f"/dev/shm/{shm_name}").st_mode & 0o777 == 0o600
    wait_for(lambda: os.path.isdir(f"{tmp_path}/log2") and os.listdir(f"{tmp_path}/log2"))
    text = daemon.end()
    assert "reload failed" not in text and "no such device" in text


@pytest.mark.system
def test_the_heart_beats_while_a_model_is_built_for_two_seconds(tmp_path, shm_name):
    daemon = Running(tmp_path, shm_name, SLOW)
    daemon.reload(lookahead_ms=160)
    assert heartbeats(daemon.reader, 3.5) < 0.2
    assert daemon.reader.header()["latency_ns"] == 160000000
    daemon.end()


def test_a_storm_of_signals_is_few_reloads(daemon):
    latest = daemon.reader.header()["latest"]
    began = time.monotonic()
    while time.monotonic() < began + 3.0:
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.01)
    published = daemon.reader.header()["latest"] - latest
    assert published > 0.6 * 25 * 3  # on a busy machine; it was 7 a second
    daemon.end()


class Failing:
    """Stands in for a maker of parts."""

    def __init__(self, error):
        self._error = error

    def __call__(self, *arguments, **options):
        raise self._error


@pytest.mark.parametrize(
    "part", ["load_model", "build_pipeline", "make_selector", "Writer", "Player", "Recorder"]
)
@pytest.mark.parametrize("error", [UnavailableError("injected"), RuntimeError("injected")])
def test_whatever_part_fails_what_runs_stays_open(
    monkeypatch, request, tmp_path, shm_name, part, error
):
    stats = Stats()
    options = Options()
    first = changed(Settings(), shm_name, tmp_path, "a")
    # a player looks for its device in threads that come and go
    first = dataclasses.replace(first, audio=dataclasses.replace(first.audio, playback=""))
    old = assemble(first, stats, options)
    request.addfinalizer(lambda: close_parts(old))
    old.writer.open()
    stats.attach(old.writer)
    hand_over(old)
    threads = set(threading.enumerate())
    monkeypatch.setattr(parts_module, part, Failing(error))
    with pytest.raises((EdgefaceError, RuntimeError)):
        assemble(changed(Settings(), f"{shm_name}-b", tmp_path, "b"), stats, options, old)
    monkeypatch.undo()
    old.writer.heartbeat()
    with Reader(shm_name) as reader:
        assert reader.alive
    assert [name for name in os.listdir("/dev/shm") if f"{shm_name}-b" in name] == []
    wait_for(lambda: set(threading.enumerate()) <= threads)
    WriterLock(f"{shm_name}-b").release()  # was not kept


def changed(settings, shm_name, folder, name):
    """Settings that differ in every part by `name`."""
    return dataclasses.replace(
        settings,
        audio=dataclasses.replace(
            settings.audio, sources=(f"fifo:{folder}/{name}",), playback=f"no device {name}"
        ),
        motion=dataclasses.replace(settings.motion, lookahead_ms=80 if name == "a" else 40),
        output=dataclasses.replace(settings.output, shm=shm_name),
        telemetry=dataclasses.replace(settings.telemetry, log=f"{folder}/log-{name}"),
    )


def test_what_did_not_change_is_reused(tmp_path, shm_name):
    stats = Stats()
    first = changed(Settings(), shm_name, tmp_path, "a")
    old = assemble(first, stats)
    again = assemble(first, stats, old=old)
    assert all(part is other for part, other in zip(again[1:], old[1:]))
    motion = dataclasses.replace(first.motion, shapes=(("jawOpen", Shape(gain=80)),))
    calibrated = assemble(dataclasses.replace(first, motion=motion), stats, old=old)
    assert calibrated.pipeline is old.pipeline and calibrated.writer is old.writer
    assert calibrated.calibration is not old.calibration
    close_parts(old)
