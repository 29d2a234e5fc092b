"""iFacialMocap: known text, clients' hellos, and the rules of a receiver (VMagicMirror)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bridge_frames import any_frame, cleaned, frame_of

from edgeface.bridge.ifacialmocap import IFacialMocap, parse_hello

HELLO = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
# in Apple's order
NAMES = (
    "eyeBlink_L eyeLookDown_L eyeLookIn_L eyeLookOut_L eyeLookUp_L eyeSquint_L eyeWide_L"
    " eyeBlink_R eyeLookDown_R eyeLookIn_R eyeLookOut_R eyeLookUp_R eyeSquint_R eyeWide_R"
    " jawForward jawLeft jawRight jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight"
    " mouthSmile_L mouthSmile_R mouthFrown_L mouthFrown_R mouthDimple_L mouthDimple_R"
    " mouthStretch_L mouthStretch_R mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper"
    " mouthPress_L mouthPress_R mouthLowerDown_L mouthLowerDown_R mouthUpperUp_L mouthUpperUp_R"
    " browDown_L browDown_R browInnerUp browOuterUp_L browOuterUp_R cheekPuff cheekSquint_L"
    " cheekSquint_R noseSneer_L noseSneer_R tongueOut"
).split()


def as_receivers_read(datagram, separator):
    """Shapes by name, and angles by part: every item ends with a bar, one `=` parts the two."""
    shapes_text, rotations_text = datagram.decode("ascii").split("=")
    assert shapes_text.endswith("|") and rotations_text.endswith("|")
    shapes = dict(item.split(separator) for item in shapes_text[:-1].split("|"))
    rotations = dict(item.split("#") for item in rotations_text[:-1].split("|"))
    return (
        {name: int(value) for name, value in shapes.items()},
        {part: [float(value) for value in text.split(",")] for part, text in rotations.items()},
    )


def test_known_text():
    (datagram,) = IFacialMocap().encode(frame_of(jawOpen=0.404, mouthSmileRight=0.12), 0.0)
    text = datagram.decode("ascii")
    assert text.startswith("eyeBlink_L-0|eyeLookDown_L-0|")
    assert "|jawOpen-40|" in text
    assert "|mouthSmile_R-12|" in text
    assert text.endswith("|tongueOut-0|=head#0,0,0,0,0,0|rightEye#0,0,0|leftEye#0,0,0|")


@pytest.mark.parametrize("version, separator", [(1, "-"), (2, "&")])
@settings(max_examples=50, deadline=None)
@given(any_frame)
def test_any_frame_is_read_within_half_a_per_cent(version, separator, frame):
    (datagram,) = IFacialMocap(version).encode(frame, 0.0)
    assert len(datagram) < 1472
    shapes, rotations = as_receivers_read(datagram, separator)
    assert list(shapes) == NAMES
    assert np.abs(np.array(list(shapes.values())) - 100 * cleaned(frame)).max() < 0.5001
    assert list(rotations) == ["head", "rightEye", "leftEye"]
    assert [len(values) for values in rotations.values()] == [6, 3, 3]
    assert np.isfinite(np.concatenate(list(rotations.values()))).all()


def test_head_and_eyes_turn_as_in_the_phones_recording():
    """There both eyes look down, and towards the nose: 6.0, 2.4 on the right and 6.0, -1.7."""
    frame = frame_of(head=(0.1, 0.2, -0.1, 0.5, 0.0, -1.0), gaze=(-0.03, -0.1, 0.04, -0.1))
    (datagram,) = IFacialMocap().encode(frame, 0.0)
    _, rotations = as_receivers_read(datagram, "-")
    assert rotations["rightEye"] == pytest.approx([5.73, 2.29, 0.0], abs=0.01)
    assert rotations["leftEye"] == pytest.approx([5.73, -1.72, 0.0], abs=0.01)
    assert rotations["head"] == pytest.approx([5.73, 11.46, -5.73, 0.0445, 0.0, -0.089], abs=0.01)


def test_hellos_of_clients():
    assert parse_hello(HELLO) == 1
    assert parse_hello(HELLO + b"|sendDataVersion=v2") == 2
    assert parse_hello(HELLO + b"\n") == 1


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        HELLO[:-1],
        HELLO + b"0",
        HELLO + b"|sendDataVersion=v3",
        b"iFacialMocap_UDPTCP_sahuasouryya9218sauhuiayeta91555dy3719",  # wants TCP
        b"iFacialMocap_UDPTCPSTOP_sahuasouryya9218sauhuiayeta91555dy3719",
    ],
)
def test_other_datagrams_are_no_hello(datagram):
    assert parse_hello(datagram) is None


@settings(max_examples=50, deadline=None)
@given(st.binary())
def test_noise_is_no_hello(datagram):
    assert parse_hello(datagram) is None
