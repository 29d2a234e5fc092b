import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from edgeface.core.clock import monotonic_ns
from edgeface.core.errors import MissingInputError, UsageError
from edgeface.source.pipe import PipeSource
from edgeface.source.spec import make_selector, make_source
from edgeface.source.supervisor import Supervisor


def test_raw_sound_from_a_pipe():
    reading, writing = os.pipe()
    sound = np.arange(-500, 500, dtype="<i2")
    writer = threading.Thread(
        target=lambda: (
            os.write(writing, sound.tobytes()[:333]),
            time.sleep(0.05),
            os.write(writing, sound.tobytes()[333:]),
            os.close(writing),
        )
    )
    writer.start()
    source, parts = PipeSource(reading, fast=True), []
    block = source.read(1.0)
    while block is not None:
        parts.append(block.samples)
        block = source.read(1.0)
    writer.join()
    os.close(reading)
    assert (np.concatenate(parts) * 32768 == sound).all()


def test_a_pipe_is_read_in_real_time_and_its_end_is_an_end():
    reading, writing = os.pipe()
    source, blocks = PipeSource(reading), []
    os.write(writing, np.full(16000, 8192, "<i2").tobytes())
    began = time.monotonic()
    blocks += [source.read(0.05) for _ in range(40)]
    assert 0.39 < time.monotonic() - began < 0.6
    assert all((block.samples == 0.25).all() and len(block.samples) == 160 for block in blocks)
    steps = np.diff([block.audio_ns for block in blocks])
    assert abs(np.median(steps) - 10**7) < 10**6  # beside busy programs it catches up
    os.close(writing)
    rest = [source.read(0.05) for _ in range(61)]
    assert rest[-1] is None and sum(len(block.samples) for block in rest[:-1]) == 16000 - 6400
    os.close(reading)


def test_after_a_pause_the_writer_is_timed_from_its_next_sample():
    reading, writing = os.pipe()
    source = PipeSource(reading)
    os.write(writing, bytes(320))
    source.read(0.05)
    assert len(source.read(0.2).samples) == 0
    os.write(writing, bytes(320))
    assert abs(source.read(0.05).audio_ns - monotonic_ns()) < 5 * 10**7
    os.close(writing)
    os.close(reading)


class Recorder:
    """A writer in real time, on a clock that may run fast or slow."""

    def __init__(self, file, rate_hz):
        self._file, self._rate_hz = file, rate_hz
        self.began_ns, self.written = monotonic_ns(), 0

    def catch_up(self, now_ns):
        due = int((now_ns - self.began_ns) * self._rate_hz / 1e9) // 320 * 320
        os.write(self._file, np.full(due - self.written, 100, "<i2").tobytes())
        self.written = due


def virtual_time(monkeypatch, *modules):
    """A clock that a source's sleep moves, and no other thread's; call it to move it by seconds."""
    now = [10**12]

    def move(seconds):
        now[0] += int(seconds * 1e9)

    monkeypatch.setattr("edgeface.source.pace.time", SimpleNamespace(sleep=move))
    for module in modules:
        monkeypatch.setattr(f"edgeface.source.{module}.monotonic_ns", lambda: now[0])
    monkeypatch.setattr(sys.modules[__name__], "monotonic_ns", lambda: now[0])
    return now, move


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [15992, 16008])
def test_the_clock_of_a_recorder_is_followed(monkeypatch, rate_hz):
    """An hour at 500 ppm would be 1.8 s too early or too late."""
    now, move = virtual_time(monkeypatch, "raw", "pace")
    reading, writing = os.pipe()
    source, recorder, read, worst = PipeSource(reading), Recorder(writing, rate_hz), 0, 0
    while recorder.written < 3600 * 16000:
        move(0.002)
        recorder.catch_up(now[0])
        block = source.read(0.0)
        assert block.lost_samples == 0
        read += len(block.samples)
        if len(block.samples):
            worst = max(
                worst,
                abs(
                    block.audio_ns - recorder.began_ns - (read - len(block.samples)) * 1e9 / rate_hz
                ),
            )
    assert recorder.written - read < 16000 * 0.05
    assert worst < 60e6  # ns
    os.close(writing)
    os.close(reading)


def test_the_oldest_sound_of_a_recorder_is_dropped_when_it_piled_up(monkeypatch):
    now, move = virtual_time(monkeypatch, "raw", "pace")
    reading, writing = os.pipe()
    source, recorder, read, lost = PipeSource(reading), Recorder(writing, 16000), 0, 0
    for held_up in (False,) * 2000 + (True,) + (False,) * 500:
        move(1.0 if held_up else 0.002)
        recorder.catch_up(now[0])
        block = source.read(0.0)
        read, lost = read + len(block.samples), lost + block.lost_samples
    assert lost > 12000
    assert recorder.written - read - lost < 16000 * 0.1
    os.close(writing)
    os.close(reading)


def test_run_reads_standard_input(shm_name, clips, tmp_path):
    out = str(tmp_path / "f.npz")
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "edgeface",
            "run",
            "--source",
            "-",
            "--fast",
            "--shm",
            shm_name,
            "--frames-out",
            out,
        ],
        input=clips["samples"][0].tobytes(),
        stderr=subprocess.PIPE,
    )
    assert result.returncode == 0, result.stderr
    with np.load(out) as motion:
        assert motion["landmarks"].shape == (75, 68, 3)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "mike",
        "mic:",
        "file:",
        "http://x",
        "speech",
        "unix:",
        "fifo:",
        "cmd:",
        "monitor:",
    ],
)
def test_unknown_specs(spec):
    pytest.raises(UsageError, make_source, spec)


def test_a_path_with_a_suffix_is_a_file():
    pytest.raises(MissingInputError, make_source, "nowhere.WAV")


@pytest.mark.parametrize(
    "spec, live, pauses, playback",
    [
        ("mic", True, False, False),
        ("monitor", True, True, True),
        ("cmd:true", True, True, True),
        ("fifo:/nowhere/pipe", True, True, True),
        ("unix:/nowhere/voice", True, True, True),
        ("-", False, True, False),
    ],
)
def test_what_a_source_promises(spec, live, pauses, playback):
    """A source that may pause and does not say so would stop the face."""
    source = make_source(spec)
    assert (source.name, source.live, source.pauses, source.playback) == (
        spec,
        live,
        pauses,
        playback,
    )
    supervisor = Supervisor(source)
    assert (supervisor.live, supervisor.pauses, supervisor.playback) == (live, pauses, playback)


def test_a_file_ends_and_never_pauses(speech_wav):
    source = make_source(speech_wav)
    assert (source.live, source.pauses, source.playback) == (False, False, False)
    source.close()


def test_the_face_goes_on_while_nobody_writes_to_a_pipe(tmp_path):
    selector = make_selector([f"fifo:{tmp_path}/pipe"], 0.5)
    selector.open(required=True)
    try:
        blocks = [selector.read(0.1) for _ in range(30)]
    finally:
        selector.close()
    assert sum(len(block.samples) for block in blocks if block.neutral) > 1600
