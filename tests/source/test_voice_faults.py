"""What programs do wrong at the voice's socket, on the real daemon: nobody else is silenced."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.process import start, wait_for
from support.writers import FLOODS, MUTE, ODD, Flood, connect, header

from edgeface import Voice
from edgeface.core.clock import monotonic_ns
from edgeface.shm.reader import Reader
from edgeface.voice import INTERRUPT

TONE = (12000 * np.sin(np.arange(8000) * 0.1)).astype("<i2").tobytes()  # 0.5 s at 16 kHz
LOUD_DBFS = -30.0


class Kiosk:
    """A daemon with a voice socket."""

    def __init__(self, folder, shm_name):
        self.path = str(folder / "voice")
        self.shm_name = shm_name
        self.process = start("run", "--source", f"unix:{self.path}", "--shm", shm_name)
        self.reader = Reader(shm_name)
        wait_for(lambda: self.reader.read() is not None)

    def hears(self, seconds):
        """Whether the face hears a tone within so long."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            frame = self.reader.read()
            if frame is not None and frame.rms_dbfs > LOUD_DBFS:
                return True
            time.sleep(0.01)
        return False

    def is_well(self, seconds):
        """Whether there are 25 frames a second, and no heartbeat is older than 200 ms."""
        began_s, first, pulse = time.monotonic(), self.reader.header()["latest"], True
        while time.monotonic() < began_s + seconds:
            pulse = pulse and monotonic_ns() - self.reader.header()["heartbeat_ns"] < 2e8
            time.sleep(0.005)
        frames = self.reader.header()["latest"] - first
        return pulse and frames / (time.monotonic() - began_s) > 24.0

    def is_quiet(self):
        frame = self.reader.read()
        return frame is not None and frame.rms_dbfs < LOUD_DBFS

    def end(self):
        """Stops it; returns what it said, and how long that took in s."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(5) == 0
        return self.process.stderr.read(), time.monotonic() - began


@pytest.fixture
def kiosk(tmp_path, shm_name):
    kiosk = Kiosk(tmp_path, shm_name)
    yield kiosk
    kiosk.reader.close()
    if kiosk.process.poll() is None:
        assert kiosk.end()[1] < 2.0


@pytest.mark.slow
def test_a_connection_that_says_nothing_silences_nobody(kiosk):
    for name, data in MUTE.items():
        wait_for(kiosk.is_quiet)
        clients = [connect(kiosk.path, data()) for _ in range(2)]
        time.sleep(0.1)
        with Voice(kiosk.path) as voice:
            voice.say(TONE, 16000)
            assert kiosk.hears(4.0), name
        for client in clients:
            client.close()


def test_whoever_writes_nonsense_cuts_off_nobody(kiosk):
    for name, (data, _) in ODD.items():
        wait_for(kiosk.is_quiet)
        client = connect(kiosk.path, data())
        with Voice(kiosk.path) as voice:
            voice.say(TONE, 16000)
            assert kiosk.hears(4.0), name
        client.close()


def test_a_crowd_of_mute_connections_silences_nobody(kiosk):
    crowd = [connect(kiosk.path, header(16000)[: k % 20]) for k in range(60)]
    with Voice(kiosk.path) as voice:
        voice.say(TONE, 16000)
        assert kiosk.hears(4.0)
    for client in crowd:
        client.close()
    assert "too many connections" in kiosk.end()[0]


def test_who_comes_last_into_a_full_house_is_not_hung_up_on(tmp_path):
    from edgeface.source.unix import UnixSource

    source = UnixSource(str(tmp_path / "voice"))
    source.open()
    crowd = []
    for _ in range(31):  # all of them have something to say
        crowd.append(connect(str(tmp_path / "voice"), header(32000)))
        source.read(0.02)
    with Voice(str(tmp_path / "voice")) as voice:
        voice.say(TONE, 16000)
        for _ in range(5):
            source.read(0.02)
        voice.say(TONE, 16000)  # an OSError if it was hung up on
    for client in crowd:
        client.close()
    source.close()


def test_whoever_pauses_amid_a_chunk_goes_on_after_the_others(kiosk):
    client = connect(kiosk.path, header(len(TONE)) + TONE[:800])
    time.sleep(0.2)
    with Voice(kiosk.path) as voice:
        voice.say(TONE, 16000)
        assert kiosk.hears(4.0)
    wait_for(kiosk.is_quiet)
    client.sendall(TONE[800:])
    assert kiosk.hears(4.0)
    client.close()


@pytest.mark.parametrize("data, reason", ODD.values(), ids=ODD)
def test_whoever_is_hung_up_on_is_told_why_as_is_the_log(tmp_path, caplog, data, reason):
    from edgeface.source.unix import UnixSource

    source = UnixSource(str(tmp_path / "voice"))
    source.open()
    voice = Voice(str(tmp_path / "voice"))
    voice._socket.sendall(data())
    for _ in range(10):
        source.read(0.01)
    with pytest.raises(OSError) as caught:
        voice.say(TONE, 16000)
    source.close()
    assert reason in str(caught.value) and "\n" not in str(caught.value)
    [record] = [record for record in caplog.records if reason in record.getMessage()]
    assert record.event == "voice_refused" and str(os.getpid()) in record.getMessage()


def test_refusals_in_a_storm_are_one_line(kiosk):
    for _ in range(300):
        try:
            connect(kiosk.path, b"nonsense" * 4).recv(1)
        except ConnectionError:
            pass
    assert kiosk.end()[0].count("\n") < 5


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_stops_neither_face_nor_heart_nor_the_end(kiosk, kind):
    with Flood(kiosk.path, kind):
        time.sleep(0.5)
        # any two seconds: a machine that is busy with other things holds up everybody
        wait_for(lambda: kiosk.is_well(2.0), 20.0)
        assert kiosk.end()[1] < 2.0


def test_a_deleted_socket_is_there_again_and_nobody_is_cut_off(kiosk):
    with Voice(kiosk.path) as early:
        os.unlink(kiosk.path)
        wait_for(lambda: os.path.exists(kiosk.path), 3.0)
        with Voice(kiosk.path) as late:
            late.say(TONE, 16000)
            assert kiosk.hears(2.0)
        wait_for(kiosk.is_quiet)
        early.say(TONE, 16000)
        assert kiosk.hears(2.0)
    assert "was deleted; it is there again" in kiosk.end()[0]
    assert not os.path.exists(kiosk.path)


def test_the_example_speaks_to_a_daemon_with_the_default_socket(tmp_path, shm_name):
    """The README's pair of commands, as a user with a runtime folder, and what it says alone."""
    environment = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path), HOME=str(tmp_path))
    as_user = "import os; os.geteuid = lambda: 1000; import runpy, sys; sys.argv = sys.argv[1:];"
    as_user += "runpy.run_module(sys.argv[0], run_name='__main__')"
    speak = [sys.executable, "-c", as_user, "edgeface.examples.speak", "- Good morning."]
    alone = subprocess.run(
        speak + ["--socket", str(tmp_path / "other")],
        env=environment,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert alone.returncode == 69 and alone.stderr.count("\n") == 1
    assert f"start `edgeface run --source unix:{tmp_path}/other`" in alone.stderr
    run = [sys.executable, "-c", as_user, "edgeface", "run", "--source", "unix"]
    daemon = subprocess.Popen(run + ["--shm", shm_name], env=environment)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        assert subprocess.call(speak, env=environment) == 0
        wait_for(lambda: reader.read() is not None and reader.read().rms_dbfs > LOUD_DBFS)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(5) == 0


def test_bytes_in_odd_pieces_are_heard_whole(tmp_path):
    from edgeface.source.unix import UnixSource

    source = UnixSource(str(tmp_path / "voice"))
    source.open()
    with Voice(str(tmp_path / "voice")) as voice:
        for at in range(0, len(TONE), 441):
            voice.say(TONE[at : at + 441], 16000)
        heard = []
        while sum(map(len, heard)) < 8000:
            heard.append(source.read(0.5).samples)
            assert len(heard[-1])
    source.close()
    assert (np.concatenate(heard) * 32768 == np.frombuffer(TONE, "<i2")).all()


def test_what_cannot_be_said_is_an_error_at_once(kiosk):
    with Voice(kiosk.path) as voice:
        for rate_hz, play_at_ns in ((44, 0), (10**6, 0), (16000, -1), (16000, 2**64 - 1)):
            with pytest.raises(ValueError):
                voice.say(TONE, rate_hz, play_at_ns=play_at_ns)
        with pytest.raises(ValueError):  # another clock
            voice.say(TONE, 16000, play_at_ns=int(time.time() * 1e9))


def test_say_waits_while_more_than_about_two_seconds_are_queued(kiosk):
    with Voice(kiosk.path) as voice:
        began = time.monotonic()
        voice.say(10 * TONE, 16000)  # 5 s
        assert 0.5 < time.monotonic() - began < 3.5


def test_a_path_where_nobody_listens_or_nobody_may_write_says_what_to_do(tmp_path):
    for name, word in (("nobody", "start `edgeface run"), ("file", "start `edgeface run")):
        (tmp_path / "file").write_text("")
        with pytest.raises(OSError) as caught:
            Voice(str(tmp_path / name))
        assert word in str(caught.value) and str(tmp_path / name) in str(caught.value)


def test_an_interrupted_writer_learns_so(kiosk):
    client = connect(kiosk.path, header(1 << 20) + 4 * TONE)
    assert kiosk.hears(3.0)
    connect(kiosk.path, header(len(TONE), flags=INTERRUPT) + TONE).close()
    assert client.recv(1000).startswith(b"interrupted")
