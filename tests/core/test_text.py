"""Names from outside: whatever bytes they have, or a refusal of one line."""

import os
import shutil
import sys

import pytest
from support.process import edgeface

from edgeface.core.errors import UsageError
from edgeface.core.text import name_of, path_of, printable, utf8_path
from edgeface.source.spec import make_source

C_LOCALE = dict(os.environ, LANG="C", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")


def test_paths_and_names():
    assert path_of("/tmp/a b") == "/tmp/a b" and name_of("Jabra é") == "Jabra é"
    assert os.fsencode(path_of("é")) == "é".encode()
    undecodable = os.fsdecode(b"\xff")
    assert path_of(undecodable) == undecodable
    for bad in ("a\0b", "\ud800"):
        pytest.raises(ValueError, path_of, bad)
        pytest.raises(ValueError, name_of, bad)
    pytest.raises(ValueError, name_of, undecodable)
    assert name_of("é".encode().decode("ascii", "surrogateescape")) == "é"


def test_a_message_stays_one_line():
    assert printable("a\nb\x1b[1m\udcff é") == "a\\nb\\x1b[1m\\udcff é"


def test_a_library_that_takes_utf_8_opens_any_name(tmp_path):
    for name in ("é".encode(), b"\xff"):
        path = os.path.join(os.fsencode(str(tmp_path)), name, b"a")
        os.mkdir(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(name)
        with utf8_path(os.fsdecode(path)) as text, open(text.encode("utf-8"), "rb") as file:
            assert file.read() == name


@pytest.mark.parametrize("kind", ["mic", "monitor", "cmd", "fifo", "unix", "file"])
@pytest.mark.parametrize("name", ["\0", "a\0b", "\ud800", "a\ud800"])
def test_names_that_nothing_can_have_are_refused(kind, name):
    with pytest.raises(UsageError) as caught:
        make_source(f"{kind}:{name}")
    str(caught.value).encode("ascii")
    pytest.raises(UsageError, make_source, f"{name}.wav")


@pytest.mark.parametrize(
    "arguments",
    [
        ["motion", "a\0.wav", "-o", "a.npz"],
        ["motion", "a.wav", "-o", "a\0.npz"],
        ["run", "--source", "mic:\0"],
        ["run", "--bundle", "\ud800"],
        ["report", "\ud800"],
        ["read", "--shm", "a\0"],
    ],
)
def test_the_command_line_is_checked_in_one_place(arguments, capfd):
    from edgeface.cli import main

    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert error.startswith("edgeface: argument ") and error.count("\n") == 1


@pytest.mark.parametrize(
    "name",
    ["2024-05-01T12:30:00.wav", "a.wave", "a.bwf", "a.aifc", "a.SND", "mix:tape.mp3", "a.m4a"],
)
def test_paths_of_sound_files_are_sources(tmp_path, speech_wav, monkeypatch, name):
    shutil.copy(speech_wav, str(tmp_path / name))
    monkeypatch.chdir(str(tmp_path))
    for spec in (name, f"file:{name}", str(tmp_path / name)):
        source = make_source(spec)
        assert not source.live and source.name.endswith(name)
        source.close()


@pytest.mark.parametrize("name", [b"\xc3\xa9", b"\xff", b"a\nb"])
def test_sound_files_and_outputs_of_any_name(tmp_path, speech_wav, name):
    """Also where the locale knows ASCII alone, as below systemd."""
    path = os.fsencode(str(tmp_path)) + b"/" + name
    shutil.copy(os.fsencode(speech_wav), path + b".wav")
    result = edgeface("motion", path + b".wav", "-o", path + b".npz", env=C_LOCALE)
    assert result.returncode == 0, result.stderr
    assert os.path.exists(path + b".npz")
    result = edgeface("motion", path + b".mp3", "-o", path + b".npz", env=C_LOCALE)
    assert result.returncode == 66 and result.stderr.count("\n") == 1


def test_standard_output_takes_any_text(tmp_path):
    """Bytes of a name as they are, an escape for what the locale cannot encode."""
    import subprocess

    code = (
        "from edgeface.core.text import print_any_text; print_any_text(); print('\\udcff\\u20ac')"
    )
    for environment in (C_LOCALE, dict(C_LOCALE, PYTHONIOENCODING="ascii")):
        out = subprocess.check_output([sys.executable, "-c", code], env=environment)
        assert out in (b"\xff\\u20ac\n", b"\xff\xe2\x82\xac\n")
