"""The wire of Wyoming: whatever comes, in whatever pieces, is an event or a refusal."""

import json
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ports import free_port
from support.process import wait_for
from support.sources import samples_of

from edgeface import Voice
from edgeface.core.errors import UnavailableError, UsageError
from edgeface.source import wyoming_connection
from edgeface.source.chunks import ProtocolError
from edgeface.source.spec import make_selector, make_source
from edgeface.source.wyoming import WyomingSource
from edgeface.source.wyoming_events import (
    LONGEST_DATA_BYTES,
    LONGEST_LINE_BYTES,
    LONGEST_PAYLOAD_BYTES,
    EventReader,
    encode,
)


def line(**header):
    return json.dumps(header).encode() + b"\n"


def sound(payload, rate=16000, width=2, channels=1, **more):
    data = {"rate": rate, "width": width, "channels": channels}
    return line(type="audio-chunk", data=data, payload_length=len(payload), **more) + payload


def read_all(reader):
    """Events and payloads that are complete, or as far as they are."""
    found = []
    while True:
        if reader.payload_bytes:
            part = reader.payload(1, 7)
            if not part:
                return found
            found.append(part)
        else:
            event = reader.take()
            if event is None:
                return found
            found.append(event)


@pytest.fixture
def source():
    source = WyomingSource(port=free_port())
    source.open()
    yield source
    source.close()


def connected(source, data=b""):
    client = socket.create_connection((source._host, source._port), timeout=20)
    client.sendall(data)
    return client


def answer(source, client):
    """The first line that the client is sent."""
    client.settimeout(0.01)
    received = []

    def has_line():
        source.read(0.0)
        try:
            received.append(client.recv(4096))
        except socket.timeout:
            return False
        return b"\n" in b"".join(received) or not received[-1]

    wait_for(has_line, poll=0.0)
    return b"".join(received)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=10), st.dictionaries(st.text(max_size=5), values), st.binary()),
        max_size=4,
    ),
    st.data(),
)
def test_events_do_not_depend_on_how_the_bytes_are_cut(events, data):
    stream = b""
    for kind, fields, payload in events:
        body = json.dumps(fields).encode()
        stream += line(type=kind, data_length=len(body), payload_length=len(payload))
        stream += body + payload
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader, found = EventReader(), []
    for first, last in zip([0] + cuts, cuts + [len(stream)]):
        reader.put(stream[first:last])
        found += read_all(reader)
    taken = [event for event in found if not isinstance(event, bytes)]
    payload = b"".join(part for part in found if isinstance(part, bytes))
    assert [(event.type, event.data) for event in taken] == [event[:2] for event in events]
    assert payload == b"".join(event[2] for event in events)
    assert reader.between_events


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200)
    | st.dictionaries(
        st.sampled_from(["type", "data", "data_length", "payload_length"]), values
    ).map(lambda header: line(**header) + bytes(50))
)
def test_any_bytes_are_events_or_an_error(noise):
    reader = EventReader()
    reader.put(noise)
    try:
        read_all(reader)
    except ProtocolError as error:
        assert "not a Wyoming event" in str(error)


@pytest.mark.parametrize(
    "data",
    [
        b"x" * (LONGEST_LINE_BYTES + 1),
        b"[" * 5000 + b"\n",
        b"9" * 5000 + b"\n",
        line(type="ping", data_length=LONGEST_DATA_BYTES + 1),
        line(type="ping", data_length=-1),
        line(type="audio-chunk", payload_length=LONGEST_PAYLOAD_BYTES + 1),
        line(type="audio-chunk", payload_length=True),
        line(type="ping", data=[]).replace(b"[]", b"[1]"),
        line(type="ping", data_length=2) + b"[]",
        line(data={}),
        b"\xff\n",
        b"\n",
    ],
)
def test_what_is_no_event_is_refused_before_more_of_it_is_kept(data):
    reader = EventReader()
    reader.put(data)
    with pytest.raises(ProtocolError):
        read_all(reader)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda rate, width, channels, payload, cut: sound(payload, rate, width, channels)[:cut],
            st.integers(-1, 10**6) | st.none() | st.booleans(),
            st.integers(-1, 5),
            st.integers(-1, 40),
            st.binary(max_size=100),
            st.integers(0, 200),
        )
        | st.sampled_from([encode("ping", {}), encode("describe", {}), encode("audio-stop", {})])
        | st.binary(max_size=20),
        max_size=6,
    )
)
def test_whatever_one_client_sends_the_next_one_is_heard(stream):
    source = WyomingSource(port=free_port())
    source.open()
    try:
        with connected(source, b"".join(stream)):
            for _ in range(5):
                block = source.read(0.001)
                assert np.isfinite(block.samples).all()
                assert np.abs(block.samples).max(initial=0) <= 1
        with connected(source, sound(np.full(320, 8192, "<i2").tobytes())):
            assert (samples_of(source, 320)[-320:] == 0.25).all()
    finally:
        source.close()


def test_half_an_event_is_not_waited_for_for_ever(source, monkeypatch):
    monkeypatch.setattr(wyoming_connection, "_STALL_NS", 10**8)
    for data in (b'{"type"', sound(bytes(3200))[:-1], line(type="ping", data_length=9)):
        with connected(source, data) as client:
            assert b"half an event" in answer(source, client)
    with connected(
        source, encode("ping", {})
    ) as idle:  # waits for the next one as long as it likes
        assert b"pong" in answer(source, idle)
        idle.settimeout(0.3)
        with pytest.raises(socket.timeout):
            source.read(0.3)
            idle.recv(100)


def test_whoever_sends_pings_and_reads_no_pong_is_hung_up_on(source):
    with connected(source) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)

        def is_gone():
            try:
                client.send(100 * line(type="ping", data={"text": 1000 * "x"}))
            except BlockingIOError:
                pass
            except ConnectionError:
                return True
            source.read(0.01)
            return False

        wait_for(is_gone, 60.0, poll=0.0)


def test_a_crowd_of_silent_clients_lets_one_that_speaks_in(source):
    crowd = []
    for k in range(40):
        crowd.append(connected(source, b'{"type"'[: k % 7]))
        source.read(0.02)  # longer than the source rests when the machine was busy
    with connected(source, sound(np.full(320, 8192, "<i2").tobytes())):
        assert (samples_of(source, 320) == 0.25).all()
    for client in crowd:
        client.close()


def stopped(unix, assistants, path):
    """What is heard of an assistant that is stopped, but for what is not softer; float32 [n]."""
    loud = sound(np.full(32000, 8192, "<i2").tobytes())  # 2 s, of which much waits in the queue
    with connected(assistants, loud + loud) as client, Voice(path) as voice:
        samples_of(assistants, 1600)
        voice.stop()
        after = [np.zeros(0, np.float32)]

        def is_silent():
            unix.read(0.0)
            after.append(assistants.read(0.0).samples)
            return not list(assistants._turns)

        wait_for(is_silent, poll=0.0)
        assert b"stopped by another program" in client.recv(1000)
    samples = np.concatenate(after)
    assert len(samples) < 16000
    return samples[samples < 0.25]


def test_a_stop_at_the_voice_socket_fades_an_assistant_out(tmp_path):
    port = free_port()
    path = str(tmp_path / "voice")
    selector = make_selector([f"unix:{path}", f"wyoming:127.0.0.1:{port}"], 0.5)
    unix, assistants = (supervisor._source for supervisor in selector._sources)
    unix.open()
    assistants.open()
    try:
        for _ in range(5):  # a machine that stands still for 0.1 s breaks off
            faded = stopped(unix, assistants, path)
            if len(faded):
                break
        assert abs(faded[-1]) < 1e-3 and (np.diff(faded) <= 0).all()
        with connected(assistants, sound(np.full(320, 8192, "<i2").tobytes())):
            assert (samples_of(assistants, 320) == 0.25).all()
    finally:
        unix.close()
        assistants.close()


def test_an_address_where_nobody_can_listen_is_one_line(source):
    for host, port, word in (
        (source._host, source._port, "in use"),
        ("no.such.host.invalid", 10601, "check the host"),
        ("203.0.113.1", 10601, "address of this machine"),
    ):
        with pytest.raises(UnavailableError) as caught:
            WyomingSource(host, port).open()
        assert word in str(caught.value) and f"wyoming:{host}:{port}" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_specifications():
    assert make_source("wyoming").name == "wyoming:127.0.0.1:10601"
    assert make_source("wyoming:0.0.0.0:10700").name == "wyoming:0.0.0.0:10700"
    assert make_source("wyoming:[::1]:10700").name == "wyoming:[::1]:10700"
    for wrong in ("host", "10601", ":10601", "host:", "host:0", "host:65536", "host:port"):
        with pytest.raises(UsageError, match="wyoming:HOST:PORT"):
            make_source(f"wyoming:{wrong}")
