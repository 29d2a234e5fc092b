"""A mistake in the configuration file ends the daemon with 78, which no service manager retries."""

import os
import shutil

import pytest
import yaml
from support.process import edgeface

from edgeface.core.resources import BUNDLED_VOICE, DEFAULT_BUNDLE
from edgeface.model.seal import sealed, without_seal


@pytest.fixture
def one_lookahead(tmp_path):
    """A bundle that has the look-ahead of 80 ms alone."""
    folder = tmp_path / "bundle"
    shutil.copytree(DEFAULT_BUNDLE, str(folder))
    description = yaml.safe_load((folder / "bundle.yaml").read_text())
    description = without_seal(description)
    for graphs in ("steps", "wholes", "blocks", "cpu_steps"):
        description[graphs] = {80: description[graphs][80]}
    (folder / "bundle.yaml").write_text(sealed(yaml.safe_dump(description)))
    return folder


MISTAKES = {
    "no YAML": "audio: [",
    "unknown section": "audios: {}",
    "unknown key": "audio: {sorces: [mic]}",
    "wrong type": "audio: {hold_ms: soon}",
    "out of range": "audio: {hold_ms: -1}",
    "unknown source": "audio: {sources: [mike]}",
    "source without a name": "audio: {sources: ['fifo:']}",
    "unknown source beside others": "audio: {sources: ['unix:/run/x', mike]}",
    "a file beside others": f"audio: {{sources: ['{BUNDLED_VOICE}', mic]}}",
    "a file that is missing": "audio: {sources: ['file:/none/at/all.wav']}",
    "standard input of a service": "audio: {sources: ['-']}",
    "a file in a service": f"audio: {{sources: ['{BUNDLED_VOICE}']}}",
    "unknown provider": "model: {provider: fast}",
    "provider whose libraries are missing": "model: {provider: native}",
    "missing bundle": "model: {bundle: /none/at/all}",
    "a file as bundle": "model: {bundle: /etc/hostname}",
    "look-ahead out of range": "motion: {lookahead_ms: 81}",
    "look-ahead that the bundle lacks": "model: {bundle: ONE}\nmotion: {lookahead_ms: 160}",
    "name with a slash": "output: {shm: a/b}",
    "name with a dot": "output: {shm: .hidden}",
    "empty name": 'output: {shm: ""}',
    "name that is too long": f"output: {{shm: {'n' * 201}}}",
    "long name in bytes": f"output: {{shm: {'ü' * 150}}}",
    "NUL in the name": r'output: {shm: "a\0b"}',
    "NUL in the group": r'output: {group: "a\0b"}',
    "NUL in the bundle": r'model: {bundle: "/a\0b"}',
    "NUL in a source": r'audio: {sources: ["mic:a\0b"]}',
    "NUL in the playback": r'audio: {playback: "a\0b"}',
    "NUL in the log": r'telemetry: {log: "/tmp/a\0b"}',
    "lone surrogate in a source": r'audio: {sources: ["fifo:\ud800"]}',
    "lone surrogate in the bundle": r'model: {bundle: "\ud800"}',
    "mode": 'output: {mode: "0777"}',
    "unknown group": "output: {group: nobody-here}",
}


@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_a_mistake_in_the_file_is_78_with_one_line(mistake, tmp_path, one_lookahead):
    config = tmp_path / "edgeface.yaml"
    text = MISTAKES[mistake].replace("ONE", str(one_lookahead))
    if "shm" not in text:
        text += (
            f"\n{'output' if 'output' not in text else '#'}: {{shm: edgeface-test-{os.getpid()}}}"
        )
    config.write_text(text, encoding="utf-8")
    environment = dict(os.environ, NOTIFY_SOCKET=str(tmp_path / "notify"))
    result = edgeface("run", "--config", str(config), env=environment, timeout=20)
    assert result.returncode == 78, (result.returncode, result.stderr)
    assert result.stderr.count("\n") == 1, result.stderr


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["--source", "mike"], 2),
        (["--source", "/none/at/all.wav"], 66),
        (["--shm", "a/b"], 2),
        (["--bundle", "/none/at/all"], 66),
        (["--lookahead", "81"], 2),
        (["--config", "/none/at/all"], 66),
        (["--bundle", "ONE", "--lookahead", "160"], 65),
    ],
)
def test_a_mistake_on_the_command_line_keeps_its_own_code(arguments, code, shm_name, one_lookahead):
    arguments = [str(one_lookahead) if word == "ONE" else word for word in arguments]
    if "--shm" not in arguments:
        arguments += ["--shm", shm_name]
    result = edgeface("run", *arguments, timeout=20)
    assert result.returncode == code, (result.returncode, result.stderr)
    assert result.stderr.count("\n") == 1, result.stderr
