"""`edgeface motion` with many files, as a user runs it."""

import glob
import json
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from support.process import edgeface, start, wait_for

from edgeface.batch.job import Job, Order
from edgeface.batch.ledger import NAME
from edgeface.config import Settings
from edgeface.core.resources import BUNDLED_VOICE


@pytest.fixture
def corpus(tmp_path, clips):
    for i, place in enumerate(("one.wav", "a/two.flac", "a/b/three.wav")):
        path = tmp_path / "corpus" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(str(path), clips["samples"][i], 16000)
    return tmp_path / "corpus"


def convert(corpus, *options):
    return edgeface(
        "motion", f"{corpus}/**/*.*", "-o", f"{corpus.parent}/out/", "--jobs", "2", *options
    )


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix == ".npz"}


def children(process):
    tasks = glob.glob(f"/proc/{process.pid}/task/*/children")
    return [int(pid) for task in tasks for pid in open(task).read().split()]


def open_files(pid):
    folder = f"/proc/{pid}/fd"
    return [os.path.realpath(f"{folder}/{name}") for name in os.listdir(folder)]


def whole_files(folder):
    """All files of frames, each of which must be readable; nothing else may be there."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and path.name != NAME:
            with np.load(path) as file:
                assert len(file["landmarks"]) == len(file["flags"])
            found.append(path)
    return found


def test_many_files_and_a_bad_one(corpus):
    bad = corpus / "a" / "bad.flac"
    bad.write_bytes(b"fLaC" + bytes(100))
    result = convert(corpus)
    assert result.returncode == 65
    said = result.stderr.splitlines()
    assert len(said) == 2 and str(bad) in said[0] and "1 of 4 files failed" in said[1]
    assert result.stdout.startswith("3 made, 0 kept, 1 failed; 0:00:09 of sound")
    out = corpus.parent / "out"
    assert {str(path.relative_to(out)) for path in whole_files(out)} == {
        "one.npz",
        "a/two.npz",
        "a/b/three.npz",
    }
    alone = str(corpus.parent / "alone.npz")
    assert edgeface("motion", str(corpus / "a" / "two.flac"), "-o", alone).returncode == 0
    with np.load(alone) as wanted, np.load(out / "a" / "two.npz") as got:
        for name in wanted.files:
            # the same but for the number of threads
            assert np.abs(wanted[name].astype(float) - got[name]).max() < 1e-5, name


def test_what_is_finished_and_whole_is_not_done_again(corpus):
    out = corpus.parent / "out"
    assert convert(corpus).returncode == 0
    first = stamps(out)
    assert convert(corpus).stdout.startswith("0 made, 3 kept, 0 failed")
    assert stamps(out) == first
    (out / "one.npz").write_bytes((out / "one.npz").read_bytes()[:-1])  # as a full disk leaves it
    (out / "a" / "two.npz").unlink()
    assert convert(corpus).stdout.startswith("2 made, 1 kept, 0 failed")


def test_what_concerns_no_file_ends_it_at_once(corpus):
    result = convert(corpus, "--bundle", "/nowhere")
    assert (
        result.returncode == 66 and result.stderr.count("\n") == 1 and "/nowhere" in result.stderr
    )
    out = corpus.parent / "out"
    (out / "a").write_text("a file where a folder must go")
    result = convert(corpus)
    assert result.returncode == 69 and f"{out}/a" in result.stderr
    assert result.stderr.count("\n") == 1, result.stderr


@pytest.fixture
def long_files(tmp_path):
    """Six files that take a while each."""
    sound, rate_hz = soundfile.read(BUNDLED_VOICE, dtype="int16")
    folder = tmp_path / "corpus"
    folder.mkdir()
    for i in range(6):
        soundfile.write(str(folder / f"{i}.wav"), np.tile(sound, 10), rate_hz)
    return folder


@pytest.mark.system
def test_ctrl_c_leaves_whole_files_only_and_the_next_run_goes_on(long_files):
    out = long_files.parent / "out"
    command = ("motion", f"{long_files}/*.wav", "-o", f"{out}/", "--jobs", "2")
    process = start(*command)
    wait_for(lambda: list(out.glob("*.npz")), 120)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.stderr.read() == ""
    finished = len(whole_files(out))
    assert 1 <= finished < 6
    known = [json.loads(line) for line in (out / NAME).read_text().splitlines()]
    assert finished - 2 <= len(known) <= finished  # each process may have had one that was not told
    result = edgeface(*command, timeout=240)
    assert result.stdout.startswith(f"{6 - len(known)} made, {len(known)} kept, 0 failed")
    assert len(whole_files(out)) == 6


@pytest.mark.system
def test_a_child_that_is_stopped_says_and_leaves_nothing(tmp_path):
    sound, rate_hz = soundfile.read(BUNDLED_VOICE, dtype="int16")
    path = tmp_path / "long.mp3"  # read through callbacks, in which an exception would be lost
    soundfile.write(str(path), np.tile(sound, 20), rate_hz, format="MP3")
    question = pickle.dumps((Job(str(path), str(tmp_path / "out.npz")), Order(Settings(), "run")))
    for wait_s in (0.0, 0.01, 0.03, 0.1, 0.3):
        process = subprocess.Popen(
            [sys.executable, "-m", "edgeface.batch.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdin.write(question)
        process.stdin.flush()
        wait_for(lambda child=process.pid: str(path) in open_files(child), 60)
        time.sleep(wait_s)
        process.terminate()
        assert process.communicate(timeout=10) == (b"", b"")
        assert process.returncode == 0
        assert [file.name for file in tmp_path.iterdir()] == ["long.mp3"]


@pytest.mark.system
def test_a_process_that_dies_costs_one_file(long_files):
    out = long_files.parent / "out"
    process = start("motion", f"{long_files}/*.wav", "-o", f"{out}/", "--jobs", "2")
    wait_for(lambda: list(out.glob("*.npz")), 120)
    victim = children(process)[0]
    os.kill(victim, signal.SIGKILL)
    output, said = process.communicate(timeout=240)
    assert process.returncode == 65
    assert "its process ended with -9" in said and "1 of 6 files failed" in said
    assert output.startswith("5 made, 0 kept, 1 failed")


def test_progress_on_a_terminal(corpus):
    import pty

    controller, terminal = pty.openpty()
    command = ("motion", f"{corpus}/**/*.*", "-o", f"{corpus.parent}/out/")
    process = subprocess.Popen([sys.executable, "-m", "edgeface", *command], stderr=terminal)
    os.close(terminal)
    shown = b""
    try:
        while True:
            shown += os.read(controller, 4096)
    except OSError:  # the other end is closed
        pass
    assert process.wait(60) == 0
    assert b"of 3: " in shown and b"x real time" in shown


@pytest.mark.system
def test_a_long_file_takes_little_more_memory_than_its_frames():
    """A kB a frame is the face itself; what large runs leave between kept results was up to 25."""
    code = """
import sys
import numpy as np
from edgeface.batch.animator import Animator
from edgeface.config import Settings

def resident_kb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4

pipeline = Animator(Settings())._pipelines.next()
sound = np.random.RandomState(0).randn(16000).astype(np.float32) / 50
frames = pipeline.accept(sound)
before = resident_kb()
for _ in range(300):
    frames += pipeline.accept(sound)
print((resident_kb() - before) / len(frames))
"""
    result = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert 1 < float(result.stdout) < 4
