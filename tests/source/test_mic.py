"""The microphone path on a real sound server: a private PulseAudio with a null sink."""

import json

import numpy as np
import pytest
from support.process import collect, edgeface, start, wait_for
from support.sound import SERVERS

from edgeface.motion.face import lip_gap
from edgeface.shm.reader import Reader

pytestmark = pytest.mark.system


@pytest.fixture
def daemon(server, shm_name):
    daemon = start(
        "run", "--source", "mic", "--mouth-only", "--shm", shm_name, env=server.environment
    )
    reader = Reader(shm_name)
    wait_for(lambda: reader.read() is not None or daemon.poll() is not None)
    assert daemon.poll() is None, daemon.stderr.read()
    yield reader
    reader.close()
    daemon.terminate()
    assert daemon.wait(20) == 0


def test_devices_lists_the_virtual_microphone(server):
    result = edgeface("devices", env=server.environment)
    assert result.returncode == 0, result.stderr
    assert "mic:edgemic" in result.stdout


def test_a_voice_in_the_microphone_moves_the_lips_as_the_file_does(
    server, daemon, speech_wav, tmp_path
):
    out = str(tmp_path / "file.npz")
    assert edgeface("motion", speech_wav, "--mouth-only", "-o", out).returncode == 0
    with np.load(out) as motion:
        wanted = lip_gap(motion["landmarks"])
    # on a busy machine the server, which has no real-time priority here, may need another try
    wait_for(lambda: agreement(frames_of(server, daemon, speech_wav), wanted) > 0.9, 60.0)


def frames_of(server, reader, wav):
    """The frames while the microphone hears a file; checks their pace."""
    player = server.play(wav)
    frames = collect(reader, 5.0)
    assert player.wait() == 0
    published = np.array([f.publish_ns for f in frames]) / 1e6
    latency = np.array([f.publish_ns - f.audio_ns for f in frames]) / 1e6
    assert 120 <= np.median(latency) < 1000
    assert abs(np.median(np.diff(published)) - 40) < 5
    return frames


def agreement(frames, wanted):
    """Greatest correlation of the lip gap with the wanted one.

    Frames start anywhere within the file's 40 ms grid, so that they cannot be equal: held-out
    clips that begin 20 ms later score .91 at least.
    """
    heard = lip_gap(np.array([f.landmarks for f in frames]))
    scores = [
        np.corrcoef(heard[lag : lag + len(wanted)], wanted)[0, 1]
        for lag in range(len(heard) - len(wanted))
    ]
    return max(scores, default=0.0)


def test_a_microphone_that_is_not_there(server, shm_name):
    result = edgeface("run", "--source", "mic:Elsewhere", "--shm", shm_name, env=server.environment)
    assert result.returncode == 69
    assert (
        result.stderr.count("\n") == 1
        and "Elsewhere" in result.stderr
        and "edgeface devices" in result.stderr
    )


def test_a_killed_sound_server_is_waited_for(server, daemon):
    server.stop()
    wait_for(lambda: (daemon.header() or {}).get("state") == 2)
    waiting = collect(daemon, 1.5)
    assert len(waiting) >= 30  # the face goes on, neutral
    assert all(f.flags & 2 for f in waiting[12:])
    assert lip_gap(np.array([f.landmarks for f in waiting[12:]])).std() < 0.002
    server.start()
    wait_for(lambda: daemon.header()["state"] == 1)
    assert daemon.header()["source_restarts"] == 1
    assert any(f.flags & 4 for f in waiting + collect(daemon, 0.5))


def test_a_hung_sound_server_is_noticed_and_left_in_time(server, shm_name):
    daemon = start("run", "--source", "mic", "--shm", shm_name, env=server.environment)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        server.hang()
        wait_for(lambda: (reader.header() or {}).get("state") == 2)
        daemon.terminate()
        assert daemon.wait(20) == 0


@pytest.mark.parametrize("kind", SERVERS.values())
def test_a_server_of_44100_hz_is_resampled(kind, tmp_path_factory, shm_name, speech_wav):
    server = kind(tmp_path_factory.mktemp("sound"), rate=44100)
    server.start()
    try:
        daemon = start("run", "--source", "mic", "--shm", shm_name, env=server.environment)
        with Reader(shm_name) as reader:
            wait_for(lambda: reader.read() is not None)
            player = server.play(speech_wav)
            frames = collect(reader, 4.0)
            player.wait()
        daemon.terminate()
        assert daemon.wait(20) == 0
    finally:
        server.stop()
    assert len(frames) >= 95
    assert max(f.rms_dbfs for f in frames) > -40
    assert any(f.flags & 1 for f in frames)


def test_read_json_is_what_a_renderer_author_sees(server, daemon, shm_name):
    result = edgeface("read", "--shm", shm_name, "-n", "2", "--json")
    frames = [json.loads(line) for line in result.stdout.splitlines()]
    assert [len(f["landmarks"]) for f in frames] == [68, 68]
    assert all(f["state"] == "running" for f in frames)
