"""The page's server with many clients, and with those that behave badly."""

import http.client
import re
import socket
import struct
import threading
import time
import urllib.request

import numpy as np
import pytest
from support.process import start, wait_for

from edgeface.motion.frame import Frame
from edgeface.view import frames as frames_module
from edgeface.view import server as server_module
from edgeface.view.connections import Connections
from edgeface.view.server import Server

NEUTRAL = [[0.0, 0.0, 0.0]] * 68
MOST = 40


@pytest.fixture
def served(shm_name):
    server = Server(0, shm_name, NEUTRAL)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def connect(server, data=b""):
    connection = socket.create_connection(server.server_address, timeout=5)
    connection.sendall(data)
    return connection


def request(path="/frames"):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def reset(connection):
    """Ends a connection as a crashed browser does: without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_served(server, within_s=2.0):
    began = time.monotonic()
    url = f"http://127.0.0.1:{server.server_address[1]}/neutral"
    assert urllib.request.urlopen(url, timeout=within_s).status == 200
    return time.monotonic() - began < within_s


def publish(writer, count, period_s=0.02):
    for _ in range(count):
        frame = Frame(0, np.zeros((68, 3), np.float32), np.zeros(52, np.float32), 0.0, -60.0, 0)
        writer.publish(frame, 0, 0)
        time.sleep(period_s)


def test_a_connection_that_is_reset_says_nothing(shm_name):
    view = start("view", "--port", "0", "--shm", shm_name)
    port = int(re.search(r":(\d+)/", view.stdout.readline()).group(1))
    for data in (b"", b"GET / HT", request("/"), request(), b"\x16\x03\x01\xff\n\r\n", b"\xff" * 9):
        for _ in range(5):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(data)
            time.sleep(0.02)
            reset(connection)
    time.sleep(1.2)  # until the streams have noticed
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/neutral").status == 200
    view.terminate()
    assert view.wait(5) == 0
    assert view.stderr.read() == ""


def test_half_open_requests_shut_nobody_out(served):
    held = []
    for _ in range(200):
        held.append(connect(served, b"GET /frames HTTP/1.1\r\nHost: loc"))
    assert is_served(served)
    assert len(served.connections._since_s) <= MOST
    stream = connect(served, request())
    assert b"200 OK" in stream.recv(4096)
    held += [connect(served, b"GET") for _ in range(2 * MOST)]
    wait_for(lambda: b"data:" in stream.recv(4096))  # it was not closed to make room
    for connection in (*held, stream):
        connection.close()


def test_streams_take_all_places_and_give_them_back(served):
    streams = [connect(served, request()) for _ in range(MOST)]
    for stream in streams:
        assert b"200 OK" in stream.recv(4096)
    refused = connect(served, request())
    assert refused.recv(4096).startswith(b"HTTP/1.1 503")
    for stream in streams:
        reset(stream)
    wait_for(lambda: not served.connections._since_s, 5.0)
    assert is_served(served)


def test_a_request_that_does_not_arrive_is_closed(served):
    served.connections = Connections(request_s=0.3)
    slow = connect(served, b"GET / HTTP/1.1\r\n")
    idle = connect(served, request("/neutral"))
    assert b"200 OK" in idle.recv(65536)
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
    client.putrequest("GET", "/neutral")
    client.putheader("X-Large", "x" * 1000000)
    try:
        client.endheaders()
        status = client.getresponse().status
    except OSError:  # it hung up while we were still sending
        status = 431
    assert status == 431
    assert is_served(served)


def test_a_frame_is_looked_at_and_encoded_once_for_all(served, writer, monkeypatch):
    encoded = []
    real = frames_module._message
    monkeypatch.setattr(frames_module, "_message", lambda *args: encoded.append(1) or real(*args))
    streams = [connect(served, request()) for _ in range(20)]
    received = [b""] * len(streams)
    wait_for(lambda: served.frames._clients == 20)
    publish(writer, 25, 0.04)
    for k, stream in enumerate(streams):
        stream.settimeout(0.05)
        try:
            while True:
                received[k] += stream.recv(65536)
        except socket.timeout:
            pass
        stream.close()
    counts = [data.count(b'"landmarks"') for data in received]
    assert min(counts) >= 22 and len(encoded) <= 25, (counts, len(encoded))
    wait_for(lambda: served.frames._clients == 0, 5.0)


def test_a_client_that_takes_nothing_is_dropped(served, writer, monkeypatch):
    monkeypatch.setattr(server_module._Handler, "timeout", 1.0)
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.connect(served.server_address)
    lazy.sendall(request())
    quick = connect(served, request())
    wait_for(lambda: served.frames._clients == 2)
    monkeypatch.setattr(frames_module, "_message", lambda *_: {"landmarks": "x" * 1000000})
    publishing = threading.Thread(target=publish, args=(writer, 80, 0.04))
    publishing.start()
    received = 0
    while publishing.is_alive():
        received += len(quick.recv(1 << 20))
    publishing.join()
    assert received > 10000000
    assert served.frames._clients == 1
    lazy.close()
    quick.close()
