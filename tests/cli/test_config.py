import os
import signal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import edgeface, start, wait_for

from edgeface.config import Settings, Shape, load_settings, parse_settings, print_settings
from edgeface.core.errors import ConfigurationError, MissingInputError
from edgeface.shm.reader import Reader


def test_nothing_said_is_the_default():
    assert parse_settings("") == parse_settings("motion:\n") == Settings()


def test_settings_are_read():
    read = parse_settings(
        "audio: {sources: ['mic:USB']}\nmotion:\n  lookahead_ms: 40\n  blink: false\n"
    )
    assert (read.audio.sources, read.motion.lookahead_ms, read.motion.blink) == (
        ("mic:USB",),
        40,
        False,
    )
    assert read.output == Settings().output


def test_shapes_are_read_by_name():
    read = parse_settings(
        "motion:\n  shapes:\n    jawOpen: {gain: 80, max: 90}\n    eyeBlinkLeft:\n    tongueOut:\n"
    ).motion
    assert dict(read.shapes) == {
        "jawOpen": Shape(gain=80, max=90),
        "eyeBlinkLeft": Shape(),
        "tongueOut": Shape(),
    }
    assert parse_settings("motion: {shapes: }").motion.shapes == ()


def test_what_is_printed_can_be_read_back():
    changed = parse_settings(
        "audio: {sources: ['unix:/a b', \"cmd:x 'y' ,\"]}\noutput: {shm: other, mode: '0600'}\n"
        "model: {bundle: '/a: #b \"c\"'}\n"
        "motion: {strength: 90, shapes: {jawOpen: {offset: -3}, tongueOut: {gain: 0}}}"
    )
    assert parse_settings(print_settings(changed)) == changed
    assert parse_settings(print_settings(Settings())) == Settings()


@pytest.mark.parametrize(
    "text, parts",
    [
        ("motion:\n  lookahed_ms: 80\n", ["line 2", "motion.lookahed_ms", "'lookahead_ms'"]),
        ("\nmotoin: {}\n", ["line 2", "'motoin'", "'motion'"]),
        ("motion:\n  blink: 1\n", ["line 2", "motion.blink", "true or false"]),
        ("motion:\n  lookahead_ms: 80.0\n", ["line 2", "whole number"]),
        ("motion:\n  lookahead_ms: 81\n", ["line 2", "81", "0, 40, 80, 160"]),
        ("motion:\n  lookahead_ms: true\n", ["line 2", "whole number"]),
        ("output:\n  mode: 0640\n", ["line 2", "output.mode", "text"]),
        ("output: [1, 2]\n", ["line 1", "section 'output'"]),
        ("- 1\n", ["line 1", "keys and values"]),
        ("audio:\n  hold_ms: 1\n  hold_ms: 1\n", ["line 3", "twice"]),
        ("audio:\n  sources: mic\n", ["line 2", "audio.sources", "list"]),
        ("audio:\n  sources: []\n", ["line 2", "audio.sources", "list"]),
        ("audio:\n  sources: [mic, 3]\n", ["line 2", "audio.sources", "list"]),
        ("audio: {source: mic\n", ["line 2", "not YAML"]),
        ("audio:\n\tsource: mic\n", ["line 2", "not YAML"]),
        ("audio:\n  sources: [2001-99-99]\n", ["line 2"]),
        ("audio:\n  ? [a, b]\n  : mic\n", ["line 2", "unknown key"]),
        ('output: {group: "a\\0b"}', ["line 1", "output.group", "NUL"]),
        ('audio: {sources: ["mic", "fifo:/\\0"]}', ["audio.sources", "NUL"]),
        ('model: {bundle: "\\ud800"}', ["model.bundle", "lone surrogate"]),
        (f"output: {{shm: {'x' * 5000}}}", ["output.shm", "5000 characters"]),
        ("[" * 20000, ["nested too deeply"]),
        ("motion: {blink: !!bool maybe}", ["motion.blink", "true or false"]),
        ("motion: {lookahead_ms: !!int ''}", ["motion.lookahead_ms", "whole number"]),
        ("output: {mode: !!timestamp x}", ["output.mode", "text"]),
        ('"mo\\ntion\\0": 1', ["unknown section", "'motion'"]),
        ("motion: {strength: 201}", ["motion.strength", "0 to 200"]),
        ("motion:\n  shapes:\n    jawOpn: {}\n", ["line 3", "motion.shapes.jawOpn", "'jawOpen'"]),
        ("motion:\n  shapes:\n    jawOpen: {gin: 3}", ["motion.shapes.jawOpen.gin", "'gain'"]),
        ("motion: {shapes: {jawOpen: {gain: 401}}}", ["shapes.jawOpen.gain", "0 to 400"]),
        ("motion: {shapes: {jawOpen: {gain: 1.5}}}", ["shapes.jawOpen.gain", "whole number"]),
        ("motion: {shapes: {jawOpen: {min: 9, max: 8}}}", ["shapes.jawOpen", "min 9", "max 8"]),
        ("motion: {shapes: {jawOpen: 80}}", ["section 'motion.shapes.jawOpen'"]),
        ("motion: {shapes: [jawOpen]}", ["section 'motion.shapes'"]),
        ("motion:\n  shapes:\n    jawOpen: {}\n    jawOpen: {}\n", ["line 4", "twice"]),
    ],
)
def test_errors_name_line_key_and_the_nearest_name(text, parts):
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(text, "edgeface.yaml")
    message = str(caught.value)
    assert message.startswith("edgeface.yaml") and "\n" not in message
    for part in parts:
        assert part in message


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["audio", "motion", "sources", "blink", "mode", "x"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        ).map(yaml.safe_dump),
    )
)
def test_any_file_is_settings_or_one_line(text):
    try:
        assert isinstance(parse_settings(text), Settings)
    except ConfigurationError as error:
        assert "\n" not in str(error)


_TEXTS = st.text(st.characters(whitelist_categories=("L", "Cc", "Cs", "Zs")), max_size=12)
_TAGS = st.sampled_from(
    ["", "!!bool ", "!!int ", "!!float ", "!!timestamp ", "!!binary ", "!!set "]
)
_KEYS = st.sampled_from(["shm", "mode", "group", "bundle", "sources", "blink", "log", "hold_ms"])
_SECTIONS = st.sampled_from(["audio", "model", "motion", "output", "telemetry"])


@settings(max_examples=500, deadline=None)
@given(_SECTIONS, _KEYS, _TAGS, _TEXTS, st.booleans())
def test_any_value_is_a_setting_that_can_be_used_or_one_line(section, key, tag, text, listed):
    """Escapes, so that characters reach the settings that YAML itself refuses."""
    quoted = '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'
    value = f"[{tag}{quoted}]" if listed else f"{tag}{quoted}"
    try:
        read = parse_settings(f"{section}: {{{key}: {value}}}")
    except ConfigurationError as error:
        assert "\n" not in str(error) and str(error).isprintable() and len(str(error)) < 600
        return
    assert parse_settings(print_settings(read)) == read


@pytest.fixture
def config_in(tmp_path):
    """Files that are not a configuration, by name."""
    os.mkfifo(str(tmp_path / "fifo"))
    (tmp_path / "large").write_bytes(b"# \n" * 30000)
    (tmp_path / "deep").write_bytes(b"[" * 60000)
    (tmp_path / "anchors").write_bytes(b"a: &a [*a, *a]\n")
    (tmp_path / "surrogate").write_bytes(b'audio: {sources: ["\\ud800"]}')
    (tmp_path / "latin1").write_bytes(b"output: {group: caf\xe9}")
    (tmp_path / "folder").mkdir()
    files = {path.name: str(path) for path in tmp_path.iterdir()}
    return dict(files, zero="/dev/zero", tty="/dev/tty")


def test_what_is_no_configuration_ends_a_start_at_once_with_78_and_one_line(config_in):
    for name, path in config_in.items():
        result = edgeface("run", "--config", path, timeout=20)
        assert result.returncode in ((78, 66) if name == "tty" else (78,)), (name, result)
        assert result.stderr.count("\n") == 1 and path in result.stderr, result.stderr


def test_what_is_no_configuration_leaves_a_running_daemon_as_it_was(config_in, shm_name, tmp_path):
    path = tmp_path / "edgeface.yaml"
    path.write_text(f"audio: {{sources: ['fifo:{tmp_path}/voice']}}\noutput: {{shm: {shm_name}}}")
    daemon = start("run", "--config", str(path))
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        for wrong in ("fifo", "zero", "large", "deep", "surrogate"):
            os.symlink(config_in[wrong], f"{path}.new")
            os.replace(f"{path}.new", str(path))
            daemon.send_signal(signal.SIGHUP)
            line = daemon.stderr.readline()
            assert "reload failed" in line and str(path) in line, line
            latest = reader.header()["latest"]
            wait_for(lambda before=latest: reader.header()["latest"] > before + 5)
    daemon.terminate()
    assert daemon.wait(2) == 0


def test_a_missing_file():
    with pytest.raises(MissingInputError):
        load_settings("/nowhere/edgeface.yaml")


def test_exit_code_and_print_config(tmp_path):
    path = tmp_path / "edgeface.yaml"
    path.write_text("audio:\n  sauce: mic\n")
    result = edgeface("run", "--config", str(path))
    assert result.returncode == 78
    assert (
        result.stderr
        == f"edgeface: {path} line 2: audio.sauce: unknown key; did you mean 'sources'?\n"
    )
    result = edgeface("run", "--source", "-", "--print-config")
    assert result.returncode == 0
    assert parse_settings(result.stdout).audio.sources == ("-",)
