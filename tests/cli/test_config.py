import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import edgeface

from edgeface.config import Settings, load_settings, parse_settings, print_settings
from edgeface.core.errors import ConfigurationError, MissingInputError


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


def test_what_is_printed_can_be_read_back():
    changed = parse_settings(
        "audio: {sources: ['unix:/a b', \"cmd:x 'y' ,\"]}\noutput: {shm: other, mode: '0600'}\n"
        "model: {bundle: '/a: #b \"c\"'}"
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
