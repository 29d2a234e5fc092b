"""VMC: python-osc as the receiver, and vowels against the lips they are to look like."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bridge_frames import any_frame, any_time, cleaned, frame_of
from support.osc import decoded

from edgeface.bridge.shapes import PASCAL
from edgeface.bridge.vmc import Vmc, unity_rotation, vowels
from edgeface.motion.face import lip_gap

PRESETS = {
    "vrm0": ["A", "I", "U", "E", "O", "Blink", "Blink_L", "Blink_R"],
    "vrm1": ["aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight"],
}


def vowel(**shapes):
    """The vowels of a frame by name."""
    return dict(zip("aiueo", vowels(frame_of(**shapes).blendshapes.tolist())))


def loudest(**shapes):
    found = vowel(**shapes)
    return max(found, key=found.get)


def values_of(messages):
    return dict(arguments for address, arguments in messages if address == "/VMC/Ext/Blend/Val")


@pytest.mark.system
@settings(max_examples=50, deadline=None)
@given(any_frame, any_time)
def test_python_osc_decodes_any_frame_of_52_shapes(frame, time_s):
    datagrams = Vmc("arkit").encode(frame, time_s)
    assert len(datagrams) == 2
    assert all(len(datagram) < 1472 for datagram in datagrams)
    messages = decoded(datagrams)
    assert messages[0] == ("/VMC/Ext/OK", [1, 3, 0])
    assert messages[1] == ("/VMC/Ext/T", [0.0])
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    assert {address for address, _ in messages[2:-1]} == {"/VMC/Ext/Blend/Val"}
    values = values_of(messages)
    assert tuple(values) == PASCAL
    assert np.array_equal(np.float32(list(values.values())), cleaned(frame))


@pytest.mark.system
@pytest.mark.parametrize("names", ["vrm0", "vrm1"])
@settings(max_examples=50, deadline=None)
@given(any_frame, any_time)
def test_presets_of_any_frame_are_within_bounds(names, frame, time_s):
    (datagram,) = Vmc(names).encode(frame, time_s)
    messages = decoded([datagram])
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    values = values_of(messages)
    assert list(values) == PRESETS[names]
    assert all(0 <= value <= 1 for value in values.values())
    spoken = list(values.values())
    assert sum(spoken[:5]) <= 1.000001
    both, left, right = spoken[5:]
    shapes = cleaned(frame)
    assert both + left == pytest.approx(shapes[0], abs=1e-6)
    assert both + right == pytest.approx(shapes[7], abs=1e-6)


@pytest.mark.system
def test_time_counts_from_the_first_frame_and_starts_again_every_day():
    vmc = Vmc("vrm0")
    start_s = 1.8e9
    for later_s, expected_s in ((0, 0), (0.5, 0.5), (86399, 86399), (86400, 0), (-1, 86399)):
        messages = dict(decoded(vmc.encode(frame_of(), start_s + later_s)))
        assert messages["/VMC/Ext/T"] == [pytest.approx(expected_s, abs=0.01)]


def test_a_known_message():
    (datagram,) = Vmc("vrm0").encode(frame_of(eyeBlinkLeft=1.0, eyeBlinkRight=1.0), 0.0)
    assert b"\0\0\0\x24/VMC/Ext/Blend/Val\0\0,sf\0Blink\0\0\0\x3f\x80\0\0" in datagram
    assert datagram.endswith(b"\0\0\0\x1c/VMC/Ext/Blend/Apply\0\0\0\0,\0\0\0")


def matrix(quaternion):
    """Rotation matrix of x, y, z, w."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def turn(axis, angle):
    """Right-handed rotation about an axis, 0 to 2, as the contract counts."""
    found = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    found[a, a] = found[b, b] = np.cos(angle)
    found[b, a] = np.sin(angle)
    found[a, b] = -np.sin(angle)
    return found


@settings(max_examples=50, deadline=None)
@given(*[st.floats(-1.5, 1.5)] * 3)
def test_the_head_turns_the_same_way_in_unity(pitch, yaw, roll):
    ours = turn(1, yaw).dot(turn(0, pitch)).dot(turn(2, roll))
    mirror = np.diag([-1, 1, 1])  # Unity's x is to the viewer's left
    quaternion = unity_rotation(pitch, yaw, roll)
    assert np.allclose(matrix(quaternion), mirror.dot(ours).dot(mirror), atol=1e-9)
    # in Unity, a turn about x by a positive angle looks down
    assert unity_rotation(0.2, 0, 0)[0] > 0


@pytest.mark.system
def test_the_head_is_sent_where_it_is_asked_for():
    frame = frame_of(head=(0.0, 0.2, 0.0, 0.5, 0.0, 0.0))
    bone = ("/VMC/Ext/Bone/Pos", ["Head", 0, 0, 0, 0, pytest.approx(-0.0998, abs=1e-4), 0])
    for names in ("arkit", "vrm1"):
        messages = decoded(Vmc(names, head=True).encode(frame, 0.0))
        assert messages[2] == (bone[0], [*bone[1], pytest.approx(0.995, abs=1e-4)])
        assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
        assert not [m for m in decoded(Vmc(names).encode(frame, 0.0)) if m[0] == bone[0]]


def test_vowels_of_typical_mouths():
    assert loudest(jawOpen=0.4) == "a"
    assert loudest(jawOpen=0.3, mouthSmileLeft=0.2, mouthSmileRight=0.2) == "e"
    assert loudest(jawOpen=0.12, mouthStretchLeft=0.3, mouthStretchRight=0.3) == "i"
    assert loudest(jawOpen=0.3, mouthPucker=0.5) == "o"
    assert loudest(jawOpen=0.1, mouthPucker=0.7) == "u"


def test_closed_lips_speak_no_vowel():
    closed = ({}, {"jawOpen": 0.1, "mouthClose": 0.1}, {"mouthPucker": 0.8}, {"mouthSmileLeft": 1})
    for shapes in closed:
        assert sum(vowel(**shapes).values()) < 0.1


def test_vowels_open_with_the_lips_of_a_talker(spoken):
    said = np.array([vowels(frame.blendshapes.tolist()) for frame in spoken])
    total = said.sum(axis=1)
    gap = lip_gap(np.array([frame.landmarks for frame in spoken]))
    assert np.corrcoef(total, gap)[0, 1] > 0.9
    assert np.percentile(total[gap < 0.02], 90) < 0.2
    assert total.max() > 0.9
    assert (said.max(axis=0) > 0.1).all()  # each of the five is said


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="arkit, vrm0, vrm1"):
        Vmc("vrm2")
