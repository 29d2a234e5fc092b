"""`edgeface voice` against a running daemon."""

import pytest
from support.process import edgeface, start, wait_for

from edgeface.shm.reader import Reader

LOUD_DBFS = -30.0


@pytest.fixture
def daemon(tmp_path, shm_name):
    """The path of its socket, and a reader of its frames."""
    path = str(tmp_path / "voice")
    process = start("run", "--source", f"unix:{path}", "--shm", shm_name)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        yield path, reader
    process.terminate()
    assert process.wait(5) == 0


def is_loud(reader):
    frame = reader.read()
    return frame is not None and frame.rms_dbfs > LOUD_DBFS


def test_a_file_is_heard_until_it_is_stopped(daemon, speech_wav):
    path, reader = daemon
    speaking = start("voice", "say", speech_wav, "--socket", path)
    wait_for(lambda: is_loud(reader))
    assert edgeface("voice", "stop", "--socket", path).returncode == 0
    assert speaking.wait(20) in (0, 69)  # a busy machine may have sent all of it before
    first = reader.read().index
    wait_for(lambda: reader.read().index > first + 10)
    assert not is_loud(reader)


@pytest.mark.system
def test_a_sentence_is_heard(daemon):
    path, reader = daemon
    speaking = start("voice", "say", "Good morning, everybody.", "--socket", path)
    wait_for(lambda: is_loud(reader))
    assert speaking.wait(20) == 0
    wrong = edgeface("voice", "say", "Hello", "--language", "qq", "--socket", path)
    assert wrong.returncode == 69 and "--language qq" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_what_cannot_be_said_is_one_line(daemon, tmp_path):
    path, _ = daemon
    nothing = edgeface("voice", "say", "nothing.wav", "--socket", path)
    assert nothing.returncode == 66 and "nothing.wav" in nothing.stderr
    (tmp_path / "text.wav").write_text("no sound")
    damaged = edgeface("voice", "say", str(tmp_path / "text.wav"), "--socket", path)
    assert damaged.returncode == 65 and "text.wav" in damaged.stderr
    silent = edgeface("voice", "say", "Hello", "--socket", path, env={"PATH": ""})
    assert silent.returncode == 69 and "apt install espeak-ng" in silent.stderr
    for action in (("stop",), ("say", "Hello")):
        absent = edgeface("voice", *action, "--socket", str(tmp_path / "nobody"))
        assert absent.returncode == 69 and "start `edgeface run" in absent.stderr
    for result in (nothing, damaged, silent, absent):
        assert result.stderr.count("\n") == 1 and result.stderr.startswith("edgeface: ")
    assert edgeface("voice").returncode == 2
