import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import edgeface, start, wait_for

from edgeface.build import load_model
from edgeface.cli import VERBS
from edgeface.core.errors import EdgefaceError
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.model.bundle import DESCRIPTION
from edgeface.motion.face import BLENDSHAPES


def one_line(result, code, *parts):
    assert result.returncode == code, result.stderr
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("edgeface: "), result.stderr
    for part in parts:
        assert part in result.stderr


@pytest.mark.parametrize("verb", [name for name, _ in VERBS])
def test_help_of_every_verb_has_an_example(verb):
    result = edgeface(verb, "--help")
    assert result.returncode == 0
    assert "example" in result.stdout and f"edgeface {verb}" in result.stdout


def test_usage():
    assert edgeface().returncode == 2
    assert edgeface("dance").returncode == 2
    assert edgeface("motion").returncode == 2
    one_line(edgeface("run", "--source", "mice"), 2, "mice")
    one_line(edgeface("run", "--source", "mic", "--fast"), 2, "--fast")
    one_line(edgeface("run", "--source", "-", "--shm", "a/b"), 2, "a/b")
    one_line(edgeface("view", "--port", "99999"), 2, "99999")
    one_line(edgeface("motion", "a.wav", "-o", "a.mp4"), 2, ".npz, .csv, .a2f.json")
    one_line(edgeface("motion", "a.wav", "b.wav", "-o", "a.npz"), 2, "folder", "slash")
    one_line(edgeface("motion", "a.wav", "-o", "a.npz", "--format", ".csv"), 2, "--format")
    one_line(edgeface("motion", "a.wav", "-o", "out/", "--jobs", "0"), 2, "--jobs 0")
    assert edgeface("--version").stdout.startswith("edgeface 0.")


def test_run_and_motion_give_the_same_frames(speech_wav, tmp_path, shm_name):
    paths = [str(tmp_path / name) for name in ("run.npz", "motion.npz")]
    assert (
        edgeface(
            "run",
            "--source",
            speech_wav,
            "--fast",
            "--shm",
            shm_name,
            "--frames-out",
            paths[0],
        ).returncode
        == 0
    )
    assert edgeface("motion", speech_wav, "-o", paths[1]).returncode == 0
    run, motion = (dict(np.load(path)) for path in paths)
    shapes = {
        "landmarks": (75, 68, 3),
        "blendshapes": (75, 52),
        "time_s": (75,),
        "f0_hz": (75,),
        "rms_dbfs": (75,),
        "flags": (75,),
        "head": (75, 6),
        "gaze": (75, 4),
        "fps": (),
        "latency_s": (),
    }
    types = {
        "landmarks": "f4",
        "blendshapes": "f4",
        "time_s": "f8",
        "f0_hz": "f4",
        "rms_dbfs": "f4",
        "flags": "u4",
        "head": "f4",
        "gaze": "f4",
    }
    for file in (run, motion):
        assert {k: v.shape for k, v in file.items()} == shapes
        assert all(file[k].dtype == t for k, t in types.items())
        assert (file["fps"], file["latency_s"]) == (25, 0.08)
        assert np.allclose(file["time_s"], 0.04 * np.arange(75))
    for key in shapes:
        tolerance = 1e-4 if key in ("landmarks", "blendshapes") else 1e-6
        assert np.abs(run[key].astype(float) - motion[key]).max() < tolerance, key


def test_frames_while_a_file_plays(clips, tmp_path, shm_name):
    path = tmp_path / "speech.wav"
    soundfile.write(str(path), clips["samples"][:3].reshape(-1), 16000)  # nine seconds
    began = time.monotonic()
    daemon = start("run", "--source", f"file:{path}", "--shm", shm_name)
    wait_for(lambda: os.path.exists(f"/dev/shm/{shm_name}"))
    reader = edgeface("read", "--shm", shm_name, "-n", "30", "--json")
    frames = [json.loads(line) for line in reader.stdout.splitlines()]
    assert daemon.wait() == 0
    assert time.monotonic() - began > 8.9
    assert len(frames) == 30
    steps = [b["index"] - a["index"] for a, b in zip(frames, frames[1:])]
    assert min(steps) >= 1
    assert steps.count(1) > 20  # a reader that is held up on a busy machine misses some
    for frame in frames:
        assert frame["audio_sample"] == 640 * frame["index"]
        assert list(frame["blendshapes"]) == list(BLENDSHAPES)
        assert (len(frame["head"]), len(frame["gaze"])) == (6, 4) and any(frame["head"])
        assert frame["latency_ms"] >= 120
        assert frame["publish_ns"] > frame["audio_ns"]
    between_ns = [b["audio_ns"] - a["audio_ns"] for a, b in zip(frames, frames[1:])]
    assert between_ns == [40000000 * step for step in steps]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(number, shm_name):
    daemon = start("run", "--source", "-", "--shm", shm_name, stdin=subprocess.PIPE)
    wait_for(lambda: os.path.exists(f"/dev/shm/{shm_name}"))
    time.sleep(0.3)
    began = time.monotonic()
    daemon.send_signal(number)
    assert daemon.wait(5) == 0
    assert time.monotonic() - began < 2
    assert daemon.stderr.read() == ""


def test_a_second_daemon_is_refused(shm_name):
    first = start("run", "--source", "-", "--shm", shm_name, stdin=subprocess.PIPE)
    wait_for(lambda: os.path.exists(f"/dev/shm/{shm_name}"))
    one_line(
        edgeface("run", "--source", "-", "--shm", shm_name, stdin=subprocess.DEVNULL),
        69,
        "another edgeface writes it",
        shm_name,
    )
    assert first.poll() is None
    first.terminate()
    assert first.wait() == 0


def test_read_without_a_writer(shm_name):
    one_line(edgeface("read", "--shm", shm_name), 69, shm_name, "edgeface run")


def test_an_output_that_cannot_be_written(speech_wav):
    one_line(edgeface("motion", speech_wav, "-o", "/nowhere/out.npz"), 69, "/nowhere/out.npz")


def test_debug_shows_the_traceback():
    result = edgeface("motion", "missing.wav", "-o", "x.npz", "--debug")
    assert result.returncode == 66 and "Traceback" in result.stderr


def test_status_line_on_a_terminal(speech_wav, shm_name):
    import pty

    controller, terminal = pty.openpty()
    daemon = subprocess.Popen(
        [sys.executable, "-m", "edgeface", "run", "--source", speech_wav, "--shm", shm_name],
        stderr=terminal,
    )
    daemon.wait()
    os.close(terminal)
    text = os.read(controller, 65536).decode()
    os.close(controller)
    assert "running" in text and "fps" in text and "dBFS" in text
    assert any("25.0 fps" in part or "24." in part or "25." in part for part in text.split("\r"))


# -- bundles --------------------------------------------------------------------------


def test_the_packaged_bundle_is_described_and_undamaged():
    info = edgeface("model", "info")
    assert info.returncode == 0 and "CC-BY-4.0" in info.stdout and "default 80" in info.stdout
    assert edgeface("model", "verify").returncode == 0
    assert os.path.exists(os.path.join(DEFAULT_BUNDLE, "MODEL_CARD.md"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("bundle") / "copy")
    shutil.copytree(DEFAULT_BUNDLE, folder)
    return folder


@pytest.mark.parametrize(
    "name, position",
    [("weights.bin", 12345), ("weights.bin", -1), ("step_80.onnx", 100), ("whole_0.onnx", 5000)],
)
def test_one_flipped_byte_is_named(copy, name, position, speech_wav, tmp_path):
    path = os.path.join(copy, name)
    with open(path, "rb") as file:
        content = bytearray(file.read())
    good = bytes(content)
    content[position] ^= 1
    with open(path, "wb") as file:
        file.write(content)
    out = str(tmp_path / "out.npz")
    one_line(edgeface("motion", speech_wav, "--bundle", copy, "-o", out), 65, path, "damaged")
    assert not os.path.exists(out)
    with open(path, "wb") as file:
        file.write(good)
    assert load_model(copy).crc32 == load_model().crc32


def test_missing_parts(copy, tmp_path, speech_wav):
    out = str(tmp_path / "out.npz")
    one_line(
        edgeface("motion", speech_wav, "--bundle", "/nowhere", "-o", out),
        66,
        "/nowhere",
        DESCRIPTION,
    )
    os.rename(os.path.join(copy, "weights.bin"), os.path.join(copy, "renamed"))
    one_line(edgeface("model", "verify", copy), 65, "weights.bin")
    os.rename(os.path.join(copy, "renamed"), os.path.join(copy, "weights.bin"))
    one_line(edgeface("motion", speech_wav, "--lookahead", "60", "-o", out), 2, "60")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_description_is_a_bundle_or_one_line(copy, data):
    with open(os.path.join(DEFAULT_BUNDLE, DESCRIPTION), "rb") as file:
        good = file.read()
    at = data.draw(st.integers(0, len(good)))
    content = (
        good[:at] + data.draw(st.binary(max_size=20)) + good[at + data.draw(st.integers(0, 40)) :]
    )
    path = os.path.join(copy, DESCRIPTION)
    with open(path, "wb") as file:
        file.write(content)
    try:
        load_model(copy)
    except EdgefaceError as error:
        assert error.exit_code == 65 and "\n" not in str(error)
    finally:
        with open(path, "wb") as file:
            file.write(good)
