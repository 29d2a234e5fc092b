"""`edgeface bridge web` as its users start it; its streams are tested in tests/web."""

import json
import socket

import pytest
from support.process import edgeface, start, wait_for
from support.web import WebSocket, events, free_port, handshake, is_open, request

from edgeface.bridge import kinds
from edgeface.bridge.command_line import parse
from edgeface.core.errors import UsageError
from edgeface.telemetry.bridges import read_reports


@pytest.mark.parametrize(
    "command, expected",
    (
        ("web", "web 127.0.0.1:8069"),
        ("web --listen 0.0.0.0:80", "web 0.0.0.0:80"),
        ("web --listen [::]:80 --allow-origin https://a.example", "web [::]:80"),
    ),
)
def test_where_it_listens(command, expected):
    assert kinds.check(parse(command)) == expected


@pytest.mark.parametrize("origin", ("*", "example.org"))
def test_what_is_no_origin_is_refused(shm_name, origin):
    options = parse(f"web --listen 127.0.0.1:{free_port()} --allow-origin '{origin}'")
    with pytest.raises(UsageError, match=r"--allow-origin .*no origin"):
        kinds.open_bridge(options, shm_name)


def test_pages_interpolate_by_themselves():
    with pytest.raises(UsageError, match="--fps"):
        parse("web --fps 60")


def test_a_port_that_is_taken(shm_name):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        place = "{}:{}".format(*other.getsockname())
        result = edgeface("bridge", "web", "--listen", place, "--shm", shm_name)
    assert result.returncode == 69
    assert place in result.stderr and "--listen" in result.stderr


def test_pages_get_frames_and_are_accounted_for(shm_name, tmp_path, monkeypatch, speech_wav):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    port = free_port()
    friend = "https://friend.example"
    options = ("--listen", f"127.0.0.1:{port}", "--allow-origin", friend, "--shm", shm_name)
    bridge = start("bridge", "web", *options)
    wait_for(lambda: is_open(port))
    asked = (request(f"Origin: {friend}"), handshake(), handshake("Origin: https://evil.example"))
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in asked]
    for connection, data in zip(connections, asked):
        connection.sendall(data)
    assert connections[2].recv(4096).startswith(b"HTTP/1.1 403")
    websocket = WebSocket(connections[1])
    streams = [map(json.loads, events(connections[0])), map(json.loads, websocket.messages())]
    for stream in streams:
        assert len(next(stream)["names"]) == 52
        assert next(stream) == {"state": "gone"}
    daemon = start("run", "--source", speech_wav, "--shm", shm_name)
    for stream in streams:
        frame = next(frame for frame in stream if "blendshapes" in frame)
        assert frame["state"] == "running" and max(frame["blendshapes"]) > 0
    daemon.terminate()
    assert daemon.wait() == 0
    (report,) = wait_for(
        lambda: [
            r for r in read_reports() if r.targets == 2 and r.packets >= 6
        ]  # names, gone, face
    )
    assert report.name == f"web http://127.0.0.1:{port}/frames" and report.skipped < report.packets
    assert report.bytes > 2000 and report.packet_age_s < 60
    assert report.refused == 1 and "https://evil.example" in report.error
    bridge.terminate()
    assert bridge.wait(10) == 0
    for connection in connections:
        connection.close()
