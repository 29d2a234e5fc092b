"""What the command finds in an avatar's file, and what it refuses."""

import json
import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.glb import rewrite, write_avatar, write_head, write_vrm
from support.process import edgeface
from support.spellings import SPELLINGS

from edgeface.core.errors import DataError, EdgefaceError, MissingInputError
from edgeface.motion.face import BLENDSHAPES
from edgeface.view import gltf, packages
from edgeface.view.avatar import BLINKS, VOWELS, plain, read_avatar

ALL_PARTS = ("head", "left eye", "right eye")


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("avatar") / "head.glb")
    write_head(path, BLENDSHAPES)
    return path


def test_shapes_are_found_in_every_usual_spelling(tmp_path):
    for name, written in SPELLINGS.items():
        assert {plain(spelling) for spelling in written} == {plain(name)}
    path = str(tmp_path / "head.glb")
    for change in (
        lambda name: name[0].upper() + name[1:],
        lambda name: "blendShape1." + name.replace("Left", "_L").replace("Right", "_R"),
    ):
        write_head(path, [change(name) for name in BLENDSHAPES])
        assert read_avatar(path).shapes == BLENDSHAPES
        write_avatar(path, [change(name) for name in BLENDSHAPES if name != "jawLeft"])
        avatar = read_avatar(path)
        assert avatar.missing == ["jawLeft"] and avatar.parts == ALL_PARTS


def test_expressions_are_found_in_both_versions_of_vrm(tmp_path):
    path = str(tmp_path / "head.vrm")
    for version in (0, 1):
        write_vrm(path, version)
        avatar = read_avatar(path)
        assert avatar == (f"VRM {version}", (), VOWELS + BLINKS, ALL_PARTS)
        write_vrm(path, version, ("JawOpen", "mouthPucker"))
        assert read_avatar(path).shapes == ("jawOpen", "mouthPucker")


HOSTILE = {
    "in two places": lambda scene: scene["nodes"][0].update(children=[0]),
    "does not exist": lambda scene: scene["nodes"][0].update(children=[7]),
    "claims": lambda scene: scene["accessors"][0].update(count=1 << 30),
    "more than": lambda scene: scene["buffers"].append({"byteLength": 1 << 40}),
    "no face": lambda scene: scene["meshes"][0].pop("extras"),
    "Draco": lambda scene: scene.update(extensionsRequired=["KHR_draco_mesh_compression"]),
    "needs the file": lambda scene: scene.update(images=[{"uri": "http://192.0.2.1/skin.png"}]),
    "nothing in it": lambda scene: scene.update(nodes=[]),
}


@pytest.mark.parametrize("reason", HOSTILE)
def test_what_would_hurt_the_page_is_refused(head, tmp_path, reason):
    path = str(tmp_path / "hostile.glb")
    rewrite(head, path, HOSTILE[reason])
    with pytest.raises(DataError, match=reason):
        read_avatar(path)


def test_what_is_no_whole_file_is_refused(head, tmp_path, monkeypatch):
    path = str(tmp_path / "damaged.glb")
    with open(head, "rb") as file:
        data = file.read()
    nested = b"[" * 100000
    for damaged, reason in (
        (b"", "no GLB"),
        (data[:18], "damaged"),
        (data[:-1], "damaged"),
        (data.replace(b"JSON", b"JSOM", 1), "damaged"),
        (struct.pack("<4sIII4s", b"glTF", 2, 20 + 100000, 100000, b"JSON") + nested, "damaged"),
        (data[:4] + b"\1" + data[5:], "version 1"),
    ):
        with open(path, "wb") as file:
            file.write(damaged)
        with pytest.raises(DataError, match=reason):
            read_avatar(path)
    os.mkfifo(str(tmp_path / "pipe"))
    with pytest.raises(DataError, match="regular"):
        read_avatar(str(tmp_path / "pipe"))
    with pytest.raises(MissingInputError):
        read_avatar(str(tmp_path / "none.glb"))
    monkeypatch.setattr(gltf, "LARGEST", len(data) - 1)
    with pytest.raises(DataError, match="too large"):
        read_avatar(head)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ("nodes", "scenes", "meshes", "accessors", "bufferViews", "buffers", "images", "extensions")


@settings(max_examples=60, deadline=None)
@given(values=st.dictionaries(st.sampled_from(KEYS), ANY_JSON), cut=st.integers(0, 400))
def test_any_file_is_read_or_refused(head, tmp_path_factory, values, cut):
    path = str(tmp_path_factory.getbasetemp() / "fuzzed.glb")
    rewrite(head, path, lambda scene: scene.update(values))
    for size in (None, cut):
        with open(path, "r+b") as file:
            file.truncate(size if size is not None else os.path.getsize(path))
        try:
            read_avatar(path)
        except EdgefaceError as error:
            assert "\n" not in str(error)


def test_the_commands_say_what_is_missing_and_what_is_wrong(head, tmp_path, shm_name, monkeypatch):
    examined = edgeface("doctor", "avatar", head)
    assert "52 of 52 blendshapes" in examined.stdout and "bad" not in examined.stdout[:60]
    write_vrm(str(tmp_path / "a.vrm"), 1)
    assert "aa, ih" in edgeface("doctor", "avatar", str(tmp_path / "a.vrm")).stdout
    write_head(str(tmp_path / "b.glb"), ["jawOpen"])
    (tmp_path / "b.yaml").write_text("camera: {hight: 3}")
    report = edgeface("doctor", "avatar", str(tmp_path / "b.glb"), "--json")
    findings = {each["check"]: each for each in json.loads(report.stdout)["findings"]}
    assert report.returncode == 69 and findings["settings"]["fix"] == "did you mean 'height'?"
    assert "missing: eyeBlinkLeft" in findings["shapes"]["found"]
    assert edgeface("doctor", "avatar").returncode == edgeface("doctor", head).returncode == 2
    assert edgeface("doctor", "avatar", "/no").returncode == 69
    invalid = edgeface("view", "--port", "0", "--avatar", str(tmp_path / "b.glb"))
    assert invalid.returncode == 78 and invalid.stderr.count("\n") == 1
    assert "b.yaml line 1: camera.hight" in invalid.stderr
    for path, code in ((os.path.join(os.path.dirname(__file__), "test_view.py"), 65), ("/no", 66)):
        refused = edgeface("view", "--port", "0", "--shm", shm_name, "--avatar", path)
        assert refused.returncode == code and refused.stderr.count("\n") == 1
        assert path in refused.stderr
    monkeypatch.setattr(packages, "FOLDER", str(tmp_path))
    with pytest.raises(EdgefaceError, match=f"npm ci --prefix {tmp_path}") as caught:
        packages.check_packages()
    assert caught.value.exit_code == 69
