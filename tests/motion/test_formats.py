"""Files for other tools, read by rules that others wrote.

Nothing on PyPI or npm reads these two; the rules are those of Unreal's importer of Live Link Face
recordings, and of add-ons that import Audio2Face's export.
"""

import csv
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.core.errors import UsageError
from edgeface.motion.face import BLENDSHAPES
from edgeface.motion.file import save_frames
from edgeface.motion.frame import Frame

# names in the order of a recording of the app
RECORDED = """Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,
EyeLookUpLeft,EyeSquintLeft,EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,
EyeLookOutRight,EyeLookUpRight,EyeSquintRight,EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,
MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,MouthSmileLeft,MouthSmileRight,
MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,MouthStretchRight,
MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,
MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,
BrowDownRight,BrowInnerUp,BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,
CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,
LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll""".replace("\n", "").split(",")
ANGLES = RECORDED[-9:]
HEAD = np.float32([0.1, 0.2, 0.3, 1.0, 2.0, 3.0])
GAZE = np.float32([0.01, 0.02, 0.03, 0.02])


def frames_of(weights, first=0):
    still = np.zeros((68, 3), np.float32)
    return [
        Frame(first + i, still, np.asarray(row, np.float32), 0.0, -120.0, 0, HEAD, GAZE)
        for i, row in enumerate(weights)
    ]


def imported(path):
    """Times in s and columns by name, as Unreal's importer takes them."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    names = rows.pop(0)
    assert names[:2] == ["Timecode", "BlendShapeCount"]
    codes = [row[0].split(":") for row in rows]
    assert all(len(code) == 4 for code in codes) and all(len(row) == len(names) for row in rows)
    rate = 60 if any(float(code[3]) > 30 for code in codes) else 30
    times = [int(h) * 3600 + int(m) * 60 + int(s) + float(f) / rate for h, m, s, f in codes]
    columns = {name: [float(row[i]) for row in rows] for i, name in enumerate(names) if i}
    return np.array(times), columns


def test_live_link_face_csv(tmp_path):
    weights = np.random.RandomState(0).rand(40, 52).astype(np.float32)
    first = 25 * 3600 + 24  # the last frame of a second
    path = str(tmp_path / "a.csv")
    save_frames(path, frames_of(weights, first), 0)
    with open(path) as file:
        header, row, next_row = [next(file) for _ in range(3)]
    assert header.rstrip("\n").split(",") == RECORDED
    assert row.startswith("01:00:00:57.600,61,") and next_row.startswith("01:00:01:00.000,61,")
    assert all(len(value.partition(".")[2]) == 10 for value in row.rstrip("\n").split(",")[2:])
    times, columns = imported(path)
    assert np.abs(times - 0.04 * (first + np.arange(40))).max() < 1e-9
    assert columns.pop("BlendShapeCount") == [61] * 40
    turned = [[0.2, -0.1, 0.3, 0.01, 0.02, 0.0, 0.03, 0.02, 0.0]] * 40
    assert np.allclose(np.transpose([columns.pop(name) for name in ANGLES]), turned, atol=1e-7)
    for i, name in enumerate(BLENDSHAPES):
        assert np.abs(weights[:, i] - columns[name[0].upper() + name[1:]]).max() < 1e-9, name


def test_audio2face_json(tmp_path):
    weights = np.random.RandomState(0).rand(40, 52).astype(np.float32)
    path = str(tmp_path / "a.a2f.json")
    save_frames(path, frames_of(weights), 0)
    with open(path) as file:
        read = json.load(file)
    assert set(read) == {"exportFps", "numFrames", "numPoses", "facsNames", "weightMat"}
    assert (read["exportFps"], read["numFrames"], read["numPoses"]) == (25.0, 40, 52)
    assert read["facsNames"] == list(BLENDSHAPES)
    assert np.abs(np.array(read["weightMat"]) - weights).max() < 1e-6


def test_no_frames(tmp_path):
    for suffix in (".csv", ".a2f.json", ".npz"):
        save_frames(str(tmp_path / f"a{suffix}"), [], 0)
    assert imported(tmp_path / "a.csv")[1]["JawOpen"] == []
    assert json.loads((tmp_path / "a.a2f.json").read_text())["weightMat"] == []
    with np.load(tmp_path / "a.npz") as file:
        assert file["landmarks"].shape == (0, 68, 3)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.floats(0, 1, width=32), min_size=52, max_size=52),
)
def test_any_frame_comes_back(tmp_path_factory, index, weights):
    path = str(tmp_path_factory.mktemp("any") / "a.csv")
    # with one late in a second, by which the importer knows the rate
    save_frames(path, frames_of([weights], index) + frames_of([weights], 25 * index + 20), 0)
    times, columns = imported(path)
    assert np.abs(times - [0.04 * index, index + 0.8]).max() < 1e-6
    back = [columns[name[0].upper() + name[1:]][0] for name in BLENDSHAPES]
    assert np.abs(np.float32(weights) - back).max() <= 5.1e-11  # half of the last digit


@pytest.mark.parametrize("name", ["a", "a.json", "a.npz.txt", "csv", ""])
def test_any_other_suffix_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"\.npz, \.csv, \.a2f\.json"):
        save_frames(str(tmp_path / name), [], 0)
    assert list(tmp_path.iterdir()) == []
