"""Faults that the daemon survives, on the real process; sound devices have tests of their own."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from support.process import collect, edgeface, start, wait_for

from edgeface.daemon.notify import Notifier
from edgeface.shm import layout
from edgeface.shm.reader import Reader

# `edgeface run` with a model that is changed first: `step` is the real one
PATCHED = """
import sys, time
from edgeface.model.stepper import CachedStepper
step, calls = CachedStepper.step, [0]
def changed(self, fbank, *others):
    calls[0] += 1
    %s
    return step(self, fbank, *others)
CachedStepper.step = changed
CachedStepper.rest = lambda self: None  # so that silence is computed, too
from edgeface.cli import entry
entry()
"""
WARM = 150  # more calls than the warm-up takes


def start_patched(change, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", PATCHED % change, "run"] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        **options,
    )


@pytest.fixture
def manager(tmp_path):
    """A service manager's socket and the environment of its service: (heard(), environment)."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.setblocking(False)

    def heard():
        lines = []
        while True:
            try:
                lines += listener.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    yield heard, dict(os.environ, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
    listener.close()


@pytest.fixture
def pipe():
    """A pipe into which nobody writes: its source is silent and stays."""
    reading, writing = os.pipe()
    yield reading
    os.close(reading)
    os.close(writing)


def test_ready_comes_after_the_first_frame_and_stopping_before_the_end(manager, pipe, shm_name):
    heard, environment = manager
    daemon = start("run", "--source", "-", "--shm", shm_name, env=environment, stdin=pipe)
    lines = []
    wait_for(lambda: lines.extend(heard()) or "READY=1" in lines)
    with Reader(shm_name) as reader:
        assert reader.read() is not None
        wait_for(lambda: lines.extend(heard()) or lines.count("WATCHDOG=1") > 5)
        assert any(line.startswith("STATUS=running: -") for line in lines)
        daemon.terminate()
        assert daemon.wait(2) == 0
    assert "STOPPING=1" in heard()


def test_a_model_that_hangs_feeds_no_watchdog(manager, pipe, shm_name):
    heard, environment = manager
    daemon = start_patched(
        f"if calls[0] == {WARM}: time.sleep(3600)",
        "--source",
        "-",
        "--shm",
        shm_name,
        env=environment,
        stdin=pipe,
    )
    lines = []
    wait_for(lambda: lines.extend(heard()) or "READY=1" in lines)
    with Reader(shm_name) as reader:
        wait_for(lambda: not reader.alive)
        heard()
        time.sleep(1.0)
        assert "WATCHDOG=1" not in heard()
    daemon.send_signal(signal.SIGABRT)  # what systemd does then
    daemon.wait(5)
    os.unlink(layout.segment_path(shm_name))


def test_a_model_that_fails_once_is_loaded_again(pipe, shm_name):
    daemon = start_patched(
        f"if calls[0] == {WARM}: raise RuntimeError('CUDA out of memory')",
        "--source",
        "-",
        "--shm",
        shm_name,
        stdin=pipe,
    )
    with Reader(shm_name) as reader:
        wait_for(lambda: (reader.header() or {}).get("inference_errors") == 1)
        latest = reader.header()["latest"]
        wait_for(lambda: reader.header()["latest"] > latest + 25)
    daemon.terminate()
    assert daemon.wait(5) == 0
    assert "CUDA out of memory" in daemon.stderr.read()


@pytest.mark.parametrize(
    "change, word",
    [
        ("raise RuntimeError('no memory')", "no memory"),
        ("return [part * float('nan') for part in step(self, fbank, *others)]", "no numbers"),
    ],
)
def test_a_model_that_fails_again_ends_the_daemon_with_one_line(pipe, shm_name, change, word):
    daemon = start_patched(
        f"if calls[0] > {WARM}: {change}", "--source", "-", "--shm", shm_name, stdin=pipe
    )
    assert daemon.wait(20) == 70
    last = daemon.stderr.read().strip().split("\n")[-1]
    assert last.startswith("edgeface: the model fails") and word in last and "doctor" in last


def test_a_deleted_segment_is_there_again(pipe, shm_name):
    daemon = start("run", "--source", "-", "--shm", shm_name, stdin=pipe)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        first = reader.header()["instance_id"]
        for replace in (False, True):
            os.unlink(layout.segment_path(shm_name))
            if replace:
                with open(layout.segment_path(shm_name), "wb") as file:
                    file.write(bytes(layout.SEGMENT_SIZE))
            wait_for(
                lambda f=first: reader.header() is not None and reader.header()["instance_id"] != f,
                3.0,
            )
            wait_for(lambda: reader.read() is not None)
            assert reader.header()["state"] == layout.RUNNING
            first = reader.header()["instance_id"]
    daemon.terminate()
    assert daemon.wait(5) == 0
    assert "was deleted; it is there again" in daemon.stderr.read()


def test_a_second_daemon_leaves_the_first_alone_also_from_another_lock_folder(
    pipe, shm_name, tmp_path
):
    daemon = start("run", "--source", "-", "--shm", shm_name, stdin=pipe)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        instance = reader.header()["instance_id"]
        for environment in (os.environ, dict(os.environ, RUNTIME_DIRECTORY=str(tmp_path))):
            second = edgeface(
                "run", "--source", "-", "--shm", shm_name, env=environment, stdin=subprocess.DEVNULL
            )
            assert second.returncode == 69 and second.stderr.count("\n") == 1
            assert "stop" in second.stderr
        assert reader.header()["instance_id"] == instance
    daemon.kill()
    daemon.wait()
    third = edgeface("run", "--source", "-", "--shm", shm_name, stdin=subprocess.DEVNULL)
    assert third.returncode == 0, third.stderr


CONFIG = (
    "audio: {sources: ['fifo:%s'], hold_ms: %s}\noutput: {shm: %s}\nmotion: {lookahead_ms: %s}\n"
)


def test_sighup_reloads_what_changed_and_nothing_that_is_wrong(manager, shm_name, tmp_path):
    heard, environment = manager
    config, first, second = tmp_path / "edgeface.yaml", tmp_path / "a", tmp_path / "b"
    config.write_text(CONFIG % (first, 500, shm_name, 80))
    daemon = start("run", "--config", str(config), env=environment)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        instance = reader.header()["instance_id"]
        wait_for(first.exists)
        for wrong in (
            CONFIG % (first, "soon", shm_name, 80),
            CONFIG % (first, 1, "a/b", 80),
            "audio: [",
            CONFIG.replace("fifo", "fife") % (first, 1, shm_name, 80),
        ):
            config.write_text(wrong)
            heard()
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: "READY=1" in heard())
        latest = reader.header()["latest"]
        wait_for(lambda: reader.header()["latest"] > latest + 5)
        assert reader.header()["instance_id"] == instance and not second.exists()
        config.write_text(CONFIG % (second, 100, shm_name, 40))
        daemon.send_signal(signal.SIGHUP)
        wait_for(second.exists)
        wait_for(lambda: (reader.header() or {}).get("latency_ns") == 40000000)
        wait_for(lambda: reader.read() is not None)
        assert reader.header()["state"] == layout.RUNNING
    daemon.terminate()
    assert daemon.wait(5) == 0
    errors = daemon.stderr.read()
    assert errors.count("reload failed") == 4
    for word in ("audio.hold_ms", "'a/b'", "not YAML", "fife:"):
        assert word in errors, errors


@pytest.mark.system
def test_too_slow_for_a_while_costs_the_oldest_sound_and_passes(server, shm_name):
    daemon = start_patched(
        f"if {WARM} < calls[0] < {WARM + 50}: time.sleep(0.12)",
        "--source",
        "mic",
        "--shm",
        shm_name,
        env=server.environment,
    )
    with Reader(shm_name) as reader:
        wait_for(lambda: (reader.header() or {}).get("state") == layout.DEGRADED)
        wait_for(lambda: reader.header()["state"] == layout.RUNNING, 20.0)
        assert reader.header()["dropped_samples"] > 8000
        frames = collect(reader, 2.0)
        assert len(frames) > 45 and np.median([f.publish_ns - f.audio_ns for f in frames]) < 200e6
        assert all(
            f.audio_sample - e.audio_sample == 640
            for e, f in zip(frames, frames[1:])
            if f.index == e.index + 1
        )
    daemon.terminate()
    assert daemon.wait(5) == 0


@pytest.mark.system
def test_a_full_disk_costs_one_warning_and_the_log_goes_on_after_it(pipe, shm_name, tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)])
    try:
        (folder / "fill").write_bytes(bytes(8192))
        config = tmp_path / "edgeface.yaml"
        config.write_text(
            f"telemetry: {{log: '{folder}', interval_s: 1}}\noutput: {{shm: {shm_name}}}\n"
        )
        daemon = start("run", "--config", str(config), "--source", "-", stdin=pipe)
        with Reader(shm_name) as reader:
            wait_for(lambda: (reader.header() or {}).get("latest", 0) > 300)
            (log,) = folder.glob("telemetry-*")
            full = log.stat().st_size
            (folder / "fill").unlink()
            wait_for(lambda: log.stat().st_size > full)
            assert reader.read() is not None
        daemon.terminate()
        assert daemon.wait(5) == 0
        assert daemon.stderr.read().count("the face goes on") == 1
    finally:
        subprocess.check_call(["umount", "-l", str(folder)])


def test_a_manager_that_is_gone_is_no_error(tmp_path):
    for address in (str(tmp_path / "nobody"), "@edgeface-nobody", ""):
        notifier = Notifier(
            {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid())}
        )
        notifier.send("READY=1")
        notifier.status("running")
        notifier.worked()


def test_another_process_watchdog_is_not_fed(manager):
    heard, environment = manager
    notifier = Notifier(dict(environment, WATCHDOG_PID="1"))
    notifier.worked()
    assert heard() == []


def test_the_manager_waits_while_an_engine_is_built(manager, pipe, shm_name):
    """Minutes on a board; here a model whose first step is slow, reported every 0.3 s."""
    heard, environment = manager
    slow = "if calls[0] == 1: time.sleep(1.5)"
    patched = PATCHED.replace(
        "from edgeface.cli import entry",
        "import edgeface.daemon.daemon as daemon\n"
        "daemon._PROGRESS_S = 0.3\nfrom edgeface.cli import entry",
    )
    daemon = subprocess.Popen(
        [sys.executable, "-c", patched % slow, "run", "--source", "-", "--shm", shm_name],
        env=environment,
        stdin=pipe,
        stderr=subprocess.PIPE,
    )
    lines = []
    wait_for(lambda: lines.extend(heard()) or "READY=1" in lines)
    before = lines[: lines.index("READY=1")]
    assert before.count("EXTEND_TIMEOUT_USEC=1200000") >= 3
    assert any(line.startswith("STATUS=loading the model") for line in before)
    daemon.terminate()
    assert daemon.wait(5) == 0


def test_stopping_while_the_model_is_built_is_swift_and_clean(manager, pipe, shm_name):
    heard, environment = manager
    daemon = start_patched(
        "if calls[0] == 1: print('building', flush=True); time.sleep(60)",
        "--source",
        "-",
        "--shm",
        shm_name,
        env=environment,
        stdin=pipe,
    )
    assert daemon.stdout.readline() == "building\n"
    daemon.terminate()
    assert daemon.wait(2) == 0
    assert "STOPPING=1" in heard() and daemon.stderr.read() == ""
