"""Strength and shapes are written into a configuration file, whose other text stays."""

import dataclasses

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.config import Motion, Settings, Shape, parse_settings, print_settings
from edgeface.config.editor import save_calibration, with_calibration
from edgeface.core.errors import ConfigurationError, UnavailableError
from edgeface.motion.face import BLENDSHAPES

WANTED = Motion(
    strength=80,
    shapes=(("jawOpen", Shape(gain=80, max=90)), ("eyeBlinkLeft", Shape(gain=130))),
)
BLOCK = """motion:
  strength: 80
  shapes:
    jawOpen: {gain: 80, max: 90}
    eyeBlinkLeft: {gain: 130}
"""
COMMENTED = """# of the robot
motion:
  strength: 120   # strong
  shapes:   # per shape
    # its jaw is small
    jawOpen: {gain: 20, min: 3} # jaw
    mouthPucker:
      gain: 30 # p
  blink: false

# the log
telemetry:
  log: '/var/log/edgeface'
"""


def written(text):
    """The motion that is written into a text, with the shapes that it sets."""
    motion = parse_settings(text).motion
    return motion.strength, {name: shape for name, shape in motion.shapes if shape != Shape()}


@pytest.mark.parametrize(
    "before, after",
    [
        ("", BLOCK),
        ("# nothing yet\n", "# nothing yet\n" + BLOCK),
        ("audio:\n  hold_ms: 3 # c", "audio:\n  hold_ms: 3 # c\n" + BLOCK[:-1]),
        ("motion:\n", BLOCK),
        ("motion: {} # none\n", BLOCK.replace("motion:", "motion:  # none")),
        ("motion:\n  shapes: {}\n  blink: true\n", None),
        ("motion: {lookahead_ms: 40,}\n", None),
        ("{motion: {lookahead_ms: 40}}", None),
        ("motion:\n  shapes:\n    jawOpen:\n# end\n", None),
        ("audio:\n  sources: [mic,\n    'cmd:x']\n  playback: |\n    x\n", None),
        ("audio:\r\n  hold_ms: 3\r\nmotion:\r\n  blink: true\r\n", None),
        (print_settings(Settings()), None),
        (
            COMMENTED,
            COMMENTED.replace("120 ", "80 ")
            .replace("{gain: 20, min: 3}", "{max: 90, gain: 80, min: 0}")
            .replace("30 # p", "100 # p\n    eyeBlinkLeft: {gain: 130}"),
        ),
    ],
)
def test_strength_and_shapes_are_written_and_the_rest_stays(before, after):
    changed = with_calibration(before, WANTED)
    assert after is None or changed == after
    assert written(changed) == (80, dict(WANTED.shapes))
    assert with_calibration(changed, WANTED) == changed
    for part in before.replace("\r", "").split("\n"):
        comment = part.partition("#")[2]
        assert comment in changed
    back = with_calibration(changed, Motion())
    assert written(back) == (100, {})


shape = st.builds(
    lambda gain, offset, limits: Shape(gain, offset, *sorted(limits)),
    st.integers(0, 400),
    st.integers(-100, 100),
    st.tuples(st.integers(0, 100), st.integers(0, 100)),
)
motions = st.builds(
    lambda strength, shapes: Motion(strength=strength, shapes=tuple(shapes.items())),
    st.integers(0, 200),
    st.dictionaries(st.sampled_from(BLENDSHAPES[::7]), shape, max_size=4),
)


@settings(max_examples=40, deadline=None)
@given(motions, motions, st.sampled_from([True, False, None]), st.booleans(), st.booleans())
def test_any_file_with_any_settings(before, wanted, flow, printed, indented):
    plain = Settings(
        motion=dataclasses.replace(before, lookahead_ms=40, blink=False),
        audio=parse_settings("audio: {sources: [unix, 'mic:a b'], hold_ms: 3}").audio,
    )
    text = print_settings(plain)
    if not printed:
        text = yaml.safe_dump(
            yaml.safe_load(text), default_flow_style=flow, indent=4 if indented else 2
        )
    changed = with_calibration(text, wanted)
    assert written(changed)[0] == wanted.strength
    assert written(changed)[1] == {name: s for name, s in wanted.shapes if s != Shape()}
    assert dataclasses.replace(parse_settings(changed), motion=Motion()) == dataclasses.replace(
        plain, motion=Motion()
    )
    assert parse_settings(changed).motion.lookahead_ms == 40


def test_what_cannot_be_changed_is_refused_and_left_alone(tmp_path):
    alias = "audio: &a {}\nmotion: *a\noutput: *a\n"
    with pytest.raises(ConfigurationError, match="by hand"):
        with_calibration(alias, WANTED)
    path = tmp_path / "edgeface.yaml"
    for wrong, error, words in (
        (alias.encode(), ConfigurationError, "by hand"),
        (b"motion: {strenth: 3}", ConfigurationError, "did you mean 'strength'"),
        (b"output: {group: caf\xe9}", ConfigurationError, "UTF-8"),
        (b"# \n" * 30000, UnavailableError, "larger than"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(error, match=words):
            save_calibration(str(path), WANTED)
        assert path.read_bytes() == wrong
    with pytest.raises(UnavailableError, match="choose another place"):
        save_calibration(str(tmp_path / "none" / "x.yaml"), WANTED)


def test_a_file_is_created_or_replaced_with_its_permissions_and_line_ends(tmp_path):
    path = tmp_path / "edgeface.yaml"
    save_calibration(str(path), WANTED)
    assert path.read_text() == BLOCK
    path.write_bytes(b"# \xc3\xa9\r\naudio:\r\n  hold_ms: 3\r\n")
    path.chmod(0o640)
    save_calibration(str(path), WANTED)
    assert path.read_bytes().startswith(b"# \xc3\xa9\r\naudio:\r\n  hold_ms: 3\r")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["edgeface.yaml"]
