"""Plain OSC: known bytes, change-only sending, and python-osc as the receiver."""

import math
import socket
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bridge_frames import any_frame, cleaned, frame_of
from support.osc import decoded, one_value_each

from edgeface.bridge.osc import Changes, Osc, bundles, message
from edgeface.motion.face import BLENDSHAPES
from edgeface.motion.frame import NEUTRAL, SPEECH

ANGLES = [
    f"/edgeface/{name}"
    for name in (
        *("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ"),
        *("gazeLeftYaw", "gazeLeftPitch", "gazeRightYaw", "gazeRightPitch"),
    )
]
ADDRESSES = [f"/edgeface/{name}" for name in BLENDSHAPES]

some_argument = (
    st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.floats(width=32, allow_nan=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126))
)


def test_known_messages():
    assert message("/a") == b"/a\0\0,\0\0\0"
    assert message("/abc", 0.5) == b"/abc\0\0\0\0,f\0\0\x3f\x00\x00\x00"
    assert message("/a", True, 1, False, "abcd") == (
        b"/a\0\0,TiFs\0\0\0\x00\x00\x00\x01abcd\0\0\0\0"
    )


def test_a_known_bundle():
    assert bundles([message("/a"), message("/b", 1)]) == [
        b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0\0\0\0\x0c/b\0\0,i\0\0\0\0\0\x01"
    ]


def test_nothing_to_say_is_no_bundle():
    assert bundles([]) == []


@pytest.mark.system
@settings(max_examples=50, deadline=None)
@given(st.lists(some_argument, max_size=20))
def test_python_osc_decodes_any_message(arguments):
    ((address, received),) = decoded([message("/an/address", *arguments)])
    assert address == "/an/address"
    assert received == arguments
    assert list(map(type, received)) == list(map(type, arguments))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=60))
def test_bundles_keep_order_and_fit_into_a_datagram(lengths):
    messages = [message("/" + "x" * length, k) for k, length in enumerate(lengths)]
    found = bundles(messages)
    assert all(len(bundle) < 1472 for bundle in found)
    assert b"".join(messages) == b"".join(inside for bundle in found for inside in parts(bundle))


def parts(bundle):
    at = 16
    while at < len(bundle):
        size = int.from_bytes(bundle[at : at + 4], "big")
        yield bundle[at + 4 : at + 4 + size]
        at += 4 + size


@pytest.mark.system
@settings(max_examples=50, deadline=None)
@given(any_frame)
def test_python_osc_decodes_any_frame(frame):
    datagrams = Osc("/edgeface").encode(frame, 0.0)
    assert all(len(datagram) < 1472 for datagram in datagrams)
    received = one_value_each(datagrams)
    assert list(received) == [*ADDRESSES, *ANGLES, "/edgeface/speech", "/edgeface/level"]
    assert np.array_equal(np.float32([received[name] for name in ADDRESSES]), cleaned(frame))
    turned = np.concatenate([frame.head, frame.gaze])
    sent = np.float32([received[name] for name in ANGLES])
    assert np.isfinite(sent).all()
    normal = np.abs(turned) <= 4
    assert np.array_equal(sent[normal], turned[normal])
    assert received["/edgeface/speech"] == int(frame.flags & SPEECH > 0)
    assert -120 <= received["/edgeface/level"] <= 0
    if -120 <= frame.rms_dbfs <= 0:
        assert received["/edgeface/level"] == frame.rms_dbfs
    elif math.isnan(frame.rms_dbfs):
        assert received["/edgeface/level"] == -120


@pytest.mark.system
def test_only_what_changed_is_said():
    osc = Osc("/edgeface")
    osc.encode(frame_of(jawOpen=0.3), 10.0)
    assert osc.encode(frame_of(jawOpen=0.3), 10.04) == []
    moved = frame_of(jawOpen=0.5, flags=NEUTRAL)
    assert one_value_each(osc.encode(moved, 10.08)) == {
        "/edgeface/jawOpen": 0.5,
        "/edgeface/speech": 0,
    }


@pytest.mark.system
@pytest.mark.parametrize("later_s", [1.0, 100.0, -5.0])
def test_everything_is_said_once_a_second_and_after_the_clock_was_set_back(later_s):
    osc = Osc("/edgeface")
    osc.encode(frame_of(jawOpen=0.5), 10.0)
    assert osc.encode(frame_of(jawOpen=0.5), 10.9) == []
    assert len(one_value_each(osc.encode(frame_of(jawOpen=0.5), 10.0 + later_s))) == 64


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1) | st.floats(0, 0.002), max_size=60))
def test_a_receiver_is_never_wrong_by_more_than_a_step(values):
    changes = Changes()
    told = None
    for k, value in enumerate(values):
        for said in changes.since({"/a": value}, k * 0.04):
            told = np.frombuffer(said[-4:], ">f4")[0]
        assert abs(told - value) < 0.0011


@pytest.mark.parametrize("prefix", ["/", "", "/face/left/"])
def test_prefixes(prefix):
    (first, *_) = Osc(prefix).encode(frame_of(), 0.0)
    addresses = [part.partition(b"\0")[0].decode() for part in parts(first)]
    assert prefix.rstrip("/") + "/jawOpen" in addresses


@pytest.mark.parametrize("prefix", ["face", "/a b", "/ä", "/a*", "/#", "/a\n", "/{a,b}", "//?"])
def test_a_prefix_that_no_address_can_have_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        Osc(prefix)


@pytest.mark.system
def test_a_python_osc_server_hears_a_frame_over_a_socket():
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer

    heard, done = {}, threading.Event()
    dispatcher = Dispatcher()

    def hear(address, value):
        heard[address] = value
        if len(heard) == 54:
            done.set()

    dispatcher.map("/edgeface/*", hear)
    with BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in Osc("/edgeface").encode(frame_of(jawOpen=0.5), 0.0):
                sender.sendto(datagram, server.server_address)
            assert done.wait(30)
        server.shutdown()
        thread.join(30)
    assert heard["/edgeface/jawOpen"] == 0.5
    assert heard["/edgeface/speech"] == 1
