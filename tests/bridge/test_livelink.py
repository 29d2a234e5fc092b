"""Live Link Face packets: known bytes, Unreal's rules, and a reader that others wrote."""

import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bridge_frames import any_frame, any_time, cleaned, frame_of

from edgeface.bridge.livelink import LiveLink

DEVICE = "2b1f0c3e-6a57-4d0e-9d6b-0f1e2d3c4b5a"
NOON_S = time.mktime((2026, 11, 30, 12, 0, 0, 0, 0, -1))
FACE = "edgeface"

some_text = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=64)


def packet(frame, time_s=NOON_S, subject=FACE, fps=25):
    (datagram,) = LiveLink(subject, DEVICE, fps).encode(frame, time_s)
    return datagram


def as_unreal_reads(datagram):
    """Fields of a packet by the rules of Unreal's receiver: reads on, and drops what breaks one."""
    assert 266 < len(datagram) <= 1286
    at = 0

    def take(kind):
        nonlocal at
        (value,) = struct.unpack_from(">" + kind, datagram, at)
        at += struct.calcsize(">" + kind)
        return value

    assert take("B") == 6
    fields = {"device": take(f"{take('i')}s").decode()}
    assert len(fields["device"]) <= 256
    fields["subject"] = take(f"{take('i')}s").decode()
    fields["frame"] = take("i")
    fields["sub_frame"] = take("f")
    fields["rate"] = (take("i"), take("i"))
    assert take("B") == 61
    fields["values"] = np.float32([take("f") for _ in range(61)])
    assert at == len(datagram)
    return fields


def test_known_bytes():
    frame = frame_of(eyeBlinkLeft=0.25, jawOpen=0.5, tongueOut=1.0)
    values = bytearray(244)
    values[0:4] = b"\x3e\x80\x00\x00"
    values[68:72] = b"\x3f\x00\x00\x00"  # number 17
    values[204:208] = b"\x3f\x80\x00\x00"  # number 51; head and eyes at rest follow
    assert (
        packet(frame, NOON_S + 0.5)
        == (
            b"\x06"
            b"\x00\x00\x00\x24" + DEVICE.encode() + b"\x00\x00\x00\x08edgeface"
            b"\x00\x10\x7a\xcc"  # 12:00:00.5 is frame 1,080,012.5
            b"\x3f\x00\x00\x00"
            b"\x00\x00\x00\x19\x00\x00\x00\x01"
            b"\x3d" + bytes(values)
        )
    )


def test_a_packet_for_a_short_subject_has_the_length_that_unreal_counts_on():
    assert len(packet(frame_of())) == 314  # 278 + 36


def test_head_and_eyes_are_the_last_nine():
    """Positive is to the viewer's right and up; roll as ours."""
    frame = frame_of(head=(0.1, 0.2, -0.3, 9.0, 9.0, 9.0), gaze=(-0.03, 0.05, 0.04, 0.06))
    values = as_unreal_reads(packet(frame))["values"]
    assert values[52:] == pytest.approx([0.2, -0.1, -0.3, -0.03, 0.05, 0, 0.04, 0.06, 0])


@settings(max_examples=50, deadline=None)
@given(any_frame, any_time, some_text, st.integers(25, 60))
def test_any_frame_passes_unreals_rules(frame, time_s, subject, fps):
    fields = as_unreal_reads(packet(frame, time_s, subject, fps))
    assert fields["device"] == DEVICE
    assert fields["subject"] == subject
    assert 0 <= fields["frame"] < 86400 * fps
    assert 0 <= fields["sub_frame"] < 1
    assert fields["rate"] == (fps, 1)
    assert np.array_equal(fields["values"][:52], cleaned(frame))
    assert np.abs(fields["values"][52:]).max() <= 4


@pytest.mark.parametrize("fps", [25, 30, 60])
def test_successive_frames_have_successive_numbers(fps):
    numbers = [
        as_unreal_reads(packet(frame_of(), NOON_S + k / fps, FACE, fps))["frame"]
        for k in range(100)
    ]
    assert numbers == list(range(43200 * fps, 43200 * fps + 100))


@pytest.mark.parametrize("subject", ["", "x" * 257, "ä" * 129])
def test_a_subject_that_no_receiver_takes_is_refused(subject):
    with pytest.raises(ValueError, match="subject"):
        LiveLink(subject, DEVICE, 25)


@pytest.mark.parametrize("device", ["", "short", DEVICE + "0", "ä" * 36, "ä" * 18])
def test_a_device_id_that_is_no_uuid_is_refused(device):
    with pytest.raises(ValueError, match="36 characters"):
        LiveLink(FACE, device, 25)


@pytest.mark.system
@settings(max_examples=50, deadline=None)
@given(any_frame, any_time)
def test_pylivelinkface_decodes_any_frame(frame, time_s):
    from pylivelinkface import FaceBlendShape, PyLiveLinkFace

    has_face, face = PyLiveLinkFace.decode(packet(frame, time_s))
    assert has_face
    assert face.name == FACE
    assert face.uuid == "$" + DEVICE  # its "$" is the length, 36
    assert face.fps == 25
    values = np.float32([face.get_blendshape(shape) for shape in FaceBlendShape])
    assert np.array_equal(values[:52], cleaned(frame))
    assert np.abs(values[52:]).max() <= 4


@pytest.mark.system
def test_pylivelinkface_has_the_same_names_in_the_same_order():
    from pylivelinkface import FaceBlendShape

    from edgeface.bridge.shapes import PASCAL

    assert tuple(shape.name for shape in FaceBlendShape)[:52] == PASCAL
