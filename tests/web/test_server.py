"""The stream with many clients, and with those that behave badly."""

import contextlib
import http.client
import json
import re
import resource
import socket
import struct
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.process import start, wait_for
from support.serving import serving
from support.web import WebSocket, events, handshake, request
from wsproto.events import CloseConnection, Ping, TextMessage

from edgeface.motion.face import BLENDSHAPES
from edgeface.motion.frame import BLINKING, SPEECH, Frame
from edgeface.web import server as server_module
from edgeface.web.access import Access
from edgeface.web.connections import Connections
from edgeface.web.server import Server

MOST = 40
FRIEND = "https://friend.example"
BOTH = pytest.mark.parametrize("asked", (request(), handshake()), ids=("sse", "websocket"))


@pytest.fixture
def served(shm_name):
    server = Server("127.0.0.1", 0, shm_name, Access("127.0.0.1", [FRIEND]))
    with serving(server):
        yield server


@pytest.fixture
def publishing(writer):
    """A writer that publishes 25 frames a second; its list of them grows."""
    published, ended = [], threading.Event()

    def publish():
        while not ended.wait(0.04):
            frame = random_face(len(published))
            writer.publish(frame, 640 * len(published), 0)
            published.append(frame)

    thread = threading.Thread(target=publish)
    thread.start()
    yield published
    ended.set()
    thread.join()


def random_face(k):
    random = np.random.RandomState(k)
    landmarks = random.randn(68, 3).astype(np.float32)
    blendshapes = random.rand(52).astype(np.float32)
    head, gaze = random.randn(6).astype(np.float32), random.randn(4).astype(np.float32)
    return Frame(k, landmarks, blendshapes, 99.96, -20.26, SPEECH | BLINKING, head, gaze)


def connect(server, data=b""):
    connection = socket.create_connection(server.server_address, timeout=10)
    connection.sendall(data)
    return connection


def reset(connection):
    """Ends a connection as a crashed browser does: without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_served(server, within_s=5.0):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}nothing", timeout=within_s)
    return caught.value.code == 404


def test_both_streams_carry_names_once_and_then_every_frame(served, publishing):
    stream = events(connect(served, request()))
    websocket = WebSocket(connect(served, handshake()))
    for messages in (stream, websocket.messages()):
        names = json.loads(next(messages))
        assert names["names"] == list(BLENDSHAPES) and names["frame_ms"] == 40
        frame = next(frame for frame in map(json.loads, messages) if "index" in frame)
        expected = publishing[frame["index"]]
        assert frame["state"] == "starting"
        assert frame["flags"] == names["flags"]["speech"] | names["flags"]["blinking"]
        assert (frame["rms_dbfs"], frame["f0_hz"]) == (-20.3, 100.0)
        for key in ("landmarks", "blendshapes", "head", "gaze"):
            np.testing.assert_allclose(frame[key], getattr(expected, key), atol=6e-5)
        # times of one clock, on which frames are 40 ms apart
        assert frame["publish_ms"] == pytest.approx(time.monotonic() * 1000, abs=5000)
        assert "names" not in json.loads(next(messages))
    stream.close()
    websocket.connection.close()


@BOTH
def test_without_a_writer_the_stream_says_so(served, asked):
    with contextlib.closing(connect(served, asked)) as connection:
        received = b""
        while b'{"state":"gone"}' not in received:
            received += connection.recv(4096)


FOREIGN = (
    "Origin: https://evil.example",
    "Origin: https://friend.example.evil.example",
    "Origin: http://localhost@evil.example",
    "Origin: http://localhost.evil.example:80",
    "Origin: null",
    "Sec-Fetch-Site: cross-site",
    "Host: evil.example",
    "Host: 127.0.0.1.evil.example",
    "Host: 192.0.2.1",
)


@BOTH
def test_foreign_pages_are_refused(served, asked):
    for header in FOREIGN:
        if header.startswith("Host"):
            foreign = asked.replace(b"Host: localhost", header.encode())
        else:
            foreign = asked.replace(b"\r\n\r\n", f"\r\n{header}\r\n\r\n".encode())
        with contextlib.closing(connect(served, foreign)) as connection:
            answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 403") and b"Access-Control" not in answer, header
    sums = served.counts.sums
    assert sums.refused == len(FOREIGN) and sums.error.endswith("Host: 192.0.2.1")


def test_own_pages_and_named_ones_may_read(served):
    for origin in ("http://localhost:3000", "http://127.0.0.1", "http://[::1]:5173", FRIEND):
        with contextlib.closing(connect(served, request(f"Origin: {origin}"))) as connection:
            answer = connection.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 200")
        assert f"Access-Control-Allow-Origin: {origin}\r\n" in answer
        with contextlib.closing(connect(served, handshake(f"Origin: {origin}"))) as connection:
            assert connection.recv(4096).startswith(b"HTTP/1.1 101")


def test_beyond_this_machine_only_addresses_and_named_hosts_are_answered():
    access = Access("0.0.0.0", [f"{FRIEND}:8443"])
    for host in ("192.0.2.1:8069", "[2001:db8::1]:8069", "localhost", "friend.example:8069"):
        assert access.answers({"Host": host})
        assert access.lets_read({"Host": host, "Origin": f"http://{host}"})
    for host in ("evil.example", "", "192.0.2.1.evil.example", "[", "a b", "evil.example:x"):
        assert not access.answers({"Host": host})
    for origin in ("https://192.0.2.7", FRIEND, f"{FRIEND}:8443/", "http://["):
        assert not access.lets_read({"Host": "192.0.2.1:8069", "Origin": origin})


@pytest.mark.parametrize("origin", ("*", "friend.example", f"{FRIEND}/page", "", "http://[::1"))
def test_what_no_browser_sends_is_no_origin(origin):
    with pytest.raises(ValueError, match="no origin"):
        Access("127.0.0.1", [origin])


def test_a_broken_handshake_is_refused(served):
    for broken in (
        b"Sec-WebSocket-Version: 8",
        b"Sec-WebSocket-Version: \xff",
        b"Connection: keep-alive",
        b"Connection: \xff, Upgrade",
        b"Sec-WebSocket-Key",
    ):
        name = broken.split(b":")[0]
        asked = re.sub(rb"(?m)^%s:.*\r$" % name, broken + b"\r", handshake())
        with contextlib.closing(connect(served, asked)) as connection:
            assert connection.recv(4096).startswith(b"HTTP/1.1 400"), broken
    assert is_served(served)


def test_a_ping_and_a_goodbye_are_answered(served, publishing):
    websocket = WebSocket(connect(served, handshake()))
    messages = websocket.messages()
    websocket.say(TextMessage("nobody listens to this"))
    websocket.say(Ping(b"there?"))
    wait_for(lambda: next(messages) and websocket.pongs == [b"there?"])
    websocket.say(CloseConnection(1000))
    for _ in messages:
        pass
    assert websocket.closed == 1000
    wait_for(lambda: served.frames.clients == 0)


def test_broken_frames_end_the_connection(served, publishing):
    for frame, code in (
        (b"\x81\x05hello", 1002),  # not masked
        (b"\xff\x80\0\0\0\0", 1002),  # reserved bits
        (b"\x81\x81\0\0\0\0\xff", 1007),  # no UTF-8
        (b"\x89\xff" + b"\xff" * 12, 1002),  # a ping of 16 EiB
    ):
        websocket = WebSocket(connect(served, handshake()))
        websocket.connection.sendall(frame)
        for _ in websocket.messages():
            pass
        assert websocket.closed == code, frame
    assert is_served(served)


def test_whatever_is_sent_ends_no_other_connection(served, publishing, capfd):
    other = WebSocket(connect(served, handshake()))
    messages = other.messages()

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        data=st.lists(
            st.one_of(
                st.binary(min_size=1, max_size=40),
                st.builds(
                    lambda head, size, rest: bytes([head, 0x80 | size]) + rest,
                    st.integers(0, 255),
                    st.integers(0, 127),
                    st.binary(min_size=4, max_size=140),
                ),
            ),
            min_size=1,
            max_size=3,
        ),
        upgraded=st.booleans(),
    )
    def sends(data, upgraded):
        connection = connect(served, handshake() if upgraded else b"")
        with contextlib.closing(connection), contextlib.suppress(ConnectionError):
            connection.sendall(b"".join(data))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    sends()
    assert [set(json.loads(next(messages))) & {"names", "state"} for _ in range(2)] == [
        {"names"},
        {"state"},
    ]
    assert capfd.readouterr().err == ""
    other.connection.close()


def test_a_connection_that_is_reset_says_nothing(shm_name):
    view = start("view", "--port", "0", "--shm", shm_name)
    port = int(re.search(r":(\d+)/", view.stdout.readline()).group(1))
    hostile = (b"", b"GET / HT", request(path="/"), request(), handshake(), b"\x16\x03\x01\xff\n")
    for data in hostile:
        for _ in range(5):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(data)
            time.sleep(0.02)
            reset(connection)
    time.sleep(1.2)  # until the streams have noticed
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/page.json").status == 200
    view.terminate()
    assert view.wait(5) == 0
    assert view.stderr.read() == ""


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 4096:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_half_open_requests_shut_nobody_out(served, many_files):
    held = [connect(served, b"GET /frames HTTP/1.1\r\nHost: loc") for _ in range(1000)]
    assert is_served(served)
    assert len(served.connections._since_s) <= MOST
    stream = connect(served, request())
    websocket = WebSocket(connect(served, handshake()))
    held += [connect(served, b"GET") for _ in range(2 * MOST)]
    # neither was closed to make room
    assert b"200 OK" in stream.recv(4096)
    wait_for(lambda: b'"state"' in stream.recv(4096))
    messages = websocket.messages()
    assert "names" in next(messages) and "gone" in next(messages)
    for connection in (*held, stream, websocket.connection):
        connection.close()


def test_streams_take_all_places_and_give_them_back(served):
    asked = [request(), handshake()] * (MOST // 2)
    streams = [connect(served, data) for data in asked]
    for stream in streams:
        assert stream.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 101")
    refused = connect(served, request())
    assert refused.recv(4096).startswith(b"HTTP/1.1 503")
    sums = served.counts.sums
    assert (sums.refused, sums.error) == (1, "there are too many clients")
    for stream in streams:
        reset(stream)
    wait_for(lambda: not served.connections._since_s, 5.0)
    assert is_served(served)


def test_a_request_that_does_not_arrive_is_closed(served):
    served.connections = Connections(request_s=0.3)
    slow = connect(served, b"GET / HTTP/1.1\r\n")
    idle = connect(served, request(path="/nothing"))
    assert idle.recv(65536).startswith(b"HTTP/1.1 404")
    began = time.monotonic()
    end = None
    while end != b"" and time.monotonic() - began < 3.0:  # a byte now and then does not help
        try:
            slow.sendall(b"X")
            slow.settimeout(0.1)
            end = slow.recv(10)
        except socket.timeout:
            continue
        except OSError:
            end = b""
    assert end == b"" and time.monotonic() - began < 2.0
    idle.settimeout(2.0)
    wait_for(lambda: idle.recv(65536) == b"", 3.0)


def test_a_request_is_bounded(served):
    client = http.client.HTTPConnection("127.0.0.1", served.server_address[1], timeout=5)
    client.putrequest("GET", "/frames")
    client.putheader("X-Large", "x" * 1000000)
    try:
        client.endheaders()
        status = client.getresponse().status
    except OSError:  # it hung up while we were still sending
        status = 431
    assert status == 431
    assert is_served(served)


def test_a_frame_is_looked_at_and_encoded_once_for_all(served, publishing, monkeypatch):
    encoded = []
    real = served.frames._message
    monkeypatch.setattr(
        served.frames, "_message", lambda *args: encoded.append(args[0]) or real(*args)
    )
    streams = [connect(served, data) for data in [request(), handshake()] * 10]
    received = [b""] * len(streams)
    wait_for(lambda: served.frames.clients == 20)
    before = len(publishing)
    wait_for(lambda: len(publishing) >= before + 25)
    for k, stream in enumerate(streams):
        stream.settimeout(0.2)
        while received[k].count(b'"landmarks"') < 22:
            received[k] += stream.recv(65536)
        stream.close()
    indices = [frame.index for frame in encoded if frame is not None]
    assert len(set(indices)) == len(indices) >= 22
    wait_for(lambda: served.frames.clients == 0, 5.0)


@BOTH
def test_a_slow_client_misses_frames_and_delays_nobody(served, publishing, asked):
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(served.server_address)
    slow.sendall(asked)
    quick = events(connect(served, request()))
    frames = (json.loads(data) for data in quick if '"index"' in data)
    seen = [next(frames)["index"] for _ in range(40)]
    assert np.median(np.diff(seen)) == 1  # a busy machine may miss some
    slow.settimeout(10)
    received = b""
    while len(re.findall(rb'"index":(\d+)', received)) < 25:
        received += slow.recv(65536)
    indices = [int(index) for index in re.findall(rb'"index":(\d+)', received)]
    gap = np.diff(indices)
    assert gap.max() > 15 and gap.argmax() < 15, indices  # few were on their way, then the newest
    assert served.counts.sums.skipped > 15
    slow.close()
    quick.close()


def test_a_client_that_takes_nothing_is_dropped(served, publishing, monkeypatch):
    monkeypatch.setattr(server_module.Handler, "timeout", 0.5)
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.connect(served.server_address)
    lazy.sendall(request())
    quick = events(connect(served, request()))
    wait_for(lambda: served.frames.clients == 2)
    wait_for(lambda: next(quick) and served.frames.clients == 1)
    lazy.close()
    quick.close()


def test_what_was_sent_is_counted(served, publishing):
    connection = connect(served, request())
    received = b""
    while received.count(b"data:") < 10:
        received += connection.recv(65536)
    connection.close()
    wait_for(lambda: served.frames.clients == 0)
    body = received.partition(b"\r\n\r\n")[2]
    sums = served.counts.sums
    assert sums.events >= 10 and sums.bytes >= len(body)
    assert sums.bytes - len(body) < 3000 * (sums.events - 9)
    assert sums.refused == 0
