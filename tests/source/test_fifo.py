"""Named pipes whose writers die, pause and delete them."""

import io
import os
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
from support.process import start, wait_for

from edgeface.shm.layout import DEGRADED, RUNNING
from edgeface.shm.reader import Reader
from edgeface.source.fifo import FifoSource
from edgeface.source.pcm import Pcm

SOUND = np.arange(1000, 17000, dtype="<i2")  # shifted by a byte, it is noise
BYTES = SOUND.tobytes()
TONE = (12000 * np.sin(np.arange(16000) * 0.1)).astype("<i2").tobytes()
LOUD_DBFS = -30.0


@pytest.fixture
def source(tmp_path):
    source = FifoSource(str(tmp_path / "pipe"))
    source.open()
    yield source
    source.close()


def path_of(source):
    return source.name.partition(":")[2]


def heard(source, samples):
    """So many samples as int16, or what comes within 3 s."""
    parts, end_s = [], time.monotonic() + 3.0
    while sum(map(len, parts)) < samples and time.monotonic() < end_s:
        parts.append(source.read(0.01).samples)
    return np.round(np.concatenate(parts) * 32768).astype(int)


@pytest.mark.parametrize("pause_s", [0.03, 0.3])
def test_a_writer_that_dies_amid_a_sample_does_not_shift_the_next_one(source, pause_s):
    with open(path_of(source), "wb") as dying:
        dying.write(BYTES[:641])
    assert (heard(source, 320) == SOUND[:320]).all()
    end_s = time.monotonic() + pause_s
    while time.monotonic() < end_s:
        source.read(0.01)
    with open(path_of(source), "wb") as other:
        other.write(BYTES[:640])
    assert (heard(source, 320) == SOUND[:320]).all()


def test_nor_where_its_sound_still_waits_in_the_pipe(source):
    """The sound of both is in the pipe at once: the end lies somewhere in it."""
    with open(path_of(source), "wb") as dying:
        dying.write(BYTES[:9601])
    first = heard(source, 160)
    with open(path_of(source), "wb") as other:
        other.write(BYTES[:6400])
        rest = heard(source, 4800 + 3200 - len(first))
    expected = np.concatenate([SOUND[:4800], SOUND[:3200]])
    assert (np.concatenate([first, rest]) == expected).all()


def test_a_writer_that_pauses_amid_a_sample_goes_on_with_it(source):
    with open(path_of(source), "wb") as writer:
        writer.write(BYTES[:1001])
        writer.flush()
        first = heard(source, 500)
        for _ in range(20):
            source.read(0.01)
        writer.write(BYTES[1001:2000])
        writer.flush()
        rest = heard(source, 500)
    assert (np.concatenate([first, rest]) == SOUND[:1000]).all()


@pytest.mark.parametrize("looked", [True, False])
@pytest.mark.parametrize("dangling", [0, 1])
def test_nor_where_the_next_one_comes_at_once(source, dangling, looked):
    with open(path_of(source), "wb") as dying:
        dying.write(BYTES[:640])
        dying.flush()
        assert (heard(source, 320) == SOUND[:320]).all()
        if looked:
            source.read(0.02)
        dying.write(BYTES[640 : 800 + dangling])
    with open(path_of(source), "wb") as other:
        other.write(BYTES[:8000])
        rest = heard(source, 3920 if dangling else 4080)
    if not dangling:
        assert (rest == np.concatenate([SOUND[320:400], SOUND[:4000]])).all()
    else:  # 10 ms of both at most, and no noise
        assert len(rest) < 4080 and (rest == SOUND[4000 - len(rest) : 4000]).all()


def test_a_wav_file_that_replaces_a_writer_is_recognised(source):
    wav = io.BytesIO()
    soundfile.write(wav, SOUND, 16000, format="WAV", subtype="PCM_16")
    with open(path_of(source), "wb") as dying:
        dying.write(BYTES[:641])
    with open(path_of(source), "wb") as other:
        other.write(wav.getvalue()[: 44 + 8000])
        got = heard(source, 4320)
    assert (got == np.concatenate([SOUND[:320], SOUND[:4000]])).all()


REPLACED = """
import sys, time
frame = b"\\0\\0\\x10" b"\\0\\0\\x20" b"\\0\\0\\x40"
next_s = time.monotonic()
for writer in range(20):
    with open(sys.argv[1], "wb", buffering=0) as pipe:
        for _ in range(6):
            pipe.write(160 * frame)
            next_s += 0.01
            time.sleep(max(0.0, next_s - time.monotonic()))
        pipe.write(frame[:1 + writer % 8])
"""


@pytest.mark.parametrize("samples", [160, 640])
def test_writers_in_real_time_that_die_and_are_replaced_at_once(tmp_path, samples):
    """As a recorder that another process starts again, with three channels.

    On a busy machine that stops the reader for longer than a writer lives, it needs another try.
    """
    for attempt in range(3):
        sound = heard_of_replaced(str(tmp_path / f"pipe-{attempt}"), samples)
        wrong = np.abs(sound - (0.125 + 0.25 + 0.5) / 3) > 1e-4
        print(f"{1 - len(sound) / (20 * 960):.1%} lost, {wrong.mean():.1%} wrong")
        if len(sound) > 0.5 * 20 * 960 and wrong.mean() < 0.05:
            return
    raise AssertionError("what one writer left made noise of the next one")


def heard_of_replaced(path, samples):
    source = FifoSource(path, Pcm(16000, 3, "s24le"))
    source.open()
    with subprocess.Popen([sys.executable, "-c", REPLACED, path]) as writers:
        parts = [source.read(1.0, samples).samples]
        while writers.poll() is None or len(parts[-1]):
            parts.append(source.read(0.05, samples).samples)
    source.close()
    return np.concatenate(parts)


def test_a_pipe_of_an_earlier_release_is_for_the_group_that_speaks(tmp_path):
    group = 4321 if os.geteuid() == 0 else os.getegid()
    os.chown(str(tmp_path), -1, group)
    for mode, expected in ((0o640, (0o660, group)), (0o600, (0o600, os.getegid()))):
        path = str(tmp_path / f"pipe-{mode}")
        os.mkfifo(path)
        os.chmod(path, mode)
        os.chmod(str(tmp_path), 0o2750)
        source = FifoSource(path)
        source.open()
        source.close()
        status = os.stat(path)
        assert (stat.S_IMODE(status.st_mode), status.st_gid) == expected
        os.chmod(str(tmp_path), 0o750)


@pytest.fixture
def daemon_of(shm_name):
    """Starts daemons of one source: (process, reader)."""
    started = []

    def make(spec):
        daemon, reader = start("run", "--source", spec, "--shm", shm_name), Reader(shm_name)
        started.append((daemon, reader))
        wait_for(lambda: reader.read() is not None)
        return daemon, reader

    yield make
    for daemon, reader in started:
        reader.close()
        if daemon.poll() is None:
            daemon.terminate()
            assert daemon.wait(2) == 0


def test_a_deleted_pipe_is_made_again(daemon_of, tmp_path):
    path = str(tmp_path / "pipe")
    daemon, reader = daemon_of(f"fifo:{path}")
    for _ in range(2):
        os.unlink(path)
        wait_for(lambda: os.path.exists(path), 4.0)
        with open(path, "wb") as writer:
            writer.write(TONE)
            wait_for(lambda: reader.read().rms_dbfs > LOUD_DBFS, 3.0)
    daemon.terminate()
    assert daemon.wait(2) == 0
    said = daemon.stderr.read()
    assert said.count("was deleted or replaced") == 2 and said.count(": back") == 2


def write_at(speed, write):
    """Writes a tone for ever at so many times real time, in a thread; returns what stops it."""
    stopping = threading.Event()

    def run():
        next_s = time.monotonic()
        while not stopping.is_set():
            write(TONE[:640])
            next_s += 0.02 / speed
            time.sleep(max(0.0, next_s - time.monotonic()))

    thread = threading.Thread(target=run)
    thread.start()

    def stop():
        stopping.set()
        thread.join()

    return stop


@pytest.fixture(params=["fifo", "unix", "cmd"])
def writable(request, tmp_path, daemon_of):
    """A daemon, its reader, and a function that writes to its source."""
    from edgeface import Voice

    path = str(tmp_path / "pipe")
    if request.param == "cmd":
        os.mkfifo(path)
        file = os.open(path, os.O_RDWR)
        daemon, reader = daemon_of(f"cmd:cat {path}")
        yield daemon, reader, lambda data: os.write(file, data)
        os.close(file)
        return
    daemon, reader = daemon_of(f"{request.param}:{path}")
    if request.param == "unix":
        with Voice(path) as voice:
            yield daemon, reader, lambda data: voice.say(data, 16000)
    else:
        with open(path, "wb", buffering=0) as file:
            yield daemon, reader, file.write


def fps(reader, seconds):
    began_s, first = time.monotonic(), reader.header()["latest"]
    time.sleep(seconds)
    return (reader.header()["latest"] - first) / (time.monotonic() - began_s)


def is_in(reader, state):
    header = reader.header()
    return header is not None and header["state"] == state


@pytest.mark.slow
def test_a_source_at_half_speed_is_25_frames_a_second_and_said_to_be_slow(writable):
    daemon, reader, write = writable
    stop = write_at(0.5, write)
    try:
        wait_for(lambda: is_in(reader, DEGRADED), 10.0)
        # any two seconds: a machine that is busy with other things holds up everybody
        wait_for(lambda: 24.0 < fps(reader, 2.0) < 26.0)
        assert is_in(reader, DEGRADED)
    finally:
        stop()
    stop = write_at(1.0, write)
    try:
        wait_for(lambda: is_in(reader, RUNNING), 10.0)
    finally:
        stop()
    daemon.terminate()
    assert daemon.wait(2) == 0
    assert daemon.stderr.read().count("delivers less than real time") == 1
