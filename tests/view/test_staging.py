"""The YAML file beside an avatar, and what is written on the page: read or refused."""

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeface.core.errors import ConfigurationError, EdgefaceError, MissingInputError, UsageError
from edgeface.motion.face import BLENDSHAPES
from edgeface.view.caption import Caption
from edgeface.view.staging import Staging, read_staging

JAW, CLOSE = BLENDSHAPES.index("jawOpen"), BLENDSHAPES.index("mouthClose")


@pytest.fixture
def beside(tmp_path):
    """Writes the YAML file of an avatar, and returns the avatar's path."""

    def write(text):
        (tmp_path / "head.yaml").write_text(text)
        return str(tmp_path / "head.glb")

    return write


def test_nothing_said_is_the_default(beside, tmp_path):
    assert read_staging(str(tmp_path / "other.glb")) == read_staging(beside("")) == Staging()
    page = Staging().described()
    assert set(page) == {"camera", "light", "background"} and not page["background"]["picture"]


def test_sections_are_read(beside, tmp_path, bundle):
    (tmp_path / "lobby.jpg").write_bytes(b"a picture")
    staging = read_staging(
        beside(
            "camera: {distance: 150, angle: -20}\nlight: {colour: '#ffffff'}\n"
            "background: {picture: lobby.jpg}\n"
            "motion: {shapes: {jawOpen: {gain: 50}}}\n"
        )
    )
    assert (staging.camera.distance, staging.camera.height, staging.camera.angle) == (150, 0, -20)
    assert staging.described()["background"]["picture"] is True
    shapes = np.zeros(52, np.float32)
    shapes[JAW] = 0.8
    wide = np.asarray(bundle.neutral, np.float32)
    wide[65:68, 1] -= 0.2
    _, halved = staging.calibration(bundle.neutral).apply(wide, shapes)
    assert halved[JAW] == pytest.approx(0.4) and halved[CLOSE] == 0


@pytest.mark.parametrize(
    "text, parts",
    [
        ("camera:\n  hight: 3\n", ["line 2", "camera.hight", "'height'"]),
        ("camra: {}\n", ["line 1", "'camra'", "'camera'"]),
        ("camera: {distance: 20}", ["camera.distance", "25 to 400"]),
        ("light: {colour: red}", ["line 1", "light", "'red'", "'#203040'"]),
        ("background: {colour: '#12345'}", ["background", "'#12345'"]),
        ("background: {picture: lobby.tiff}", ["lobby.tiff", ".webp"]),
        ("motion: {shapes: {jawOpn: {gain: 3}}}", ["jawOpn", "'jawOpen'"]),
        ("motion: {lookahead_ms: 80}", ["motion.lookahead_ms", "unknown"]),
    ],
)
def test_what_is_wrong_is_named(beside, text, parts):
    with pytest.raises(ConfigurationError) as caught:
        read_staging(beside(text))
    assert all(part in str(caught.value) for part in [*parts, "head.yaml"])


def test_what_cannot_be_read_is_named(beside, tmp_path):
    with pytest.raises(MissingInputError, match=r"none\.png"):
        read_staging(beside("background: {picture: none.png}"))
    os.unlink(str(tmp_path / "head.yaml"))
    os.mkfifo(str(tmp_path / "head.yaml"))
    with pytest.raises(ConfigurationError, match="regular"):
        read_staging(str(tmp_path / "head.glb"))


@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_staging(str(path.with_suffix(".glb")))
    except EdgefaceError as error:
        assert "\n" not in str(error)


def test_a_caption_is_seen_for_its_time():
    now_s = [100.0]
    caption = Caption(lambda: now_s[0])
    assert caption.now() == {"text": "", "listening": False}
    caption.take(json.dumps({"text": " Good\nday ", "seconds": 3}).encode())
    assert caption.now()["text"] == "Good day"
    now_s[0] += 3.0
    assert caption.now()["text"] == ""
    caption.take(json.dumps({"text": "x" * 100}).encode())
    now_s[0] += 6.9
    assert caption.now()["text"] and not caption.now()["listening"]
    caption.take(b'{"listening": true}')
    assert caption.now() == {"text": "", "listening": True}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", b'{"txt": ""}', b'{"text": 3}', b'{"seconds": true}', b'{"seconds": NaN}']
    + [b'{"seconds": -1}', b'{"listening": "no"}', json.dumps({"text": "x" * 501}).encode()]
    + [b"[" * 100000],
)
def test_what_is_no_caption_is_refused(body):
    caption = Caption(lambda: 0.0)
    with pytest.raises(UsageError):
        caption.take(body)
    assert caption.now() == {"text": "", "listening": False}
