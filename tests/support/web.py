"""Clients of the stream of frames."""

import socket

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Pong, TextMessage

_UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)


def free_port():
    """A port of 127.0.0.1 that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def is_open(port):
    """Whether something listens there."""
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def request(*headers, path="/frames"):
    """A request for the stream, or for another path."""
    lines = (f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1")


def handshake(*headers):
    """The same for a WebSocket."""
    return request(*_UPGRADE, *headers)


def events(connection):
    """Yields the data of Server-Sent Events."""
    with connection, connection.makefile("rb") as file:
        for line in file:
            if line.startswith(b"data: "):
                yield line[6:].decode()


class WebSocket:
    """A client on a connection that has sent its `handshake`."""

    def __init__(self, connection):
        self.connection = connection
        self.pongs = []
        self.closed = None  # the code, once the server has said goodbye
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(1)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        self._protocol = Connection(ConnectionType.CLIENT)

    def messages(self):
        """Yields messages until the connection ends."""
        text = ""
        while self.closed is None:
            for event in self._protocol.events():
                if isinstance(event, TextMessage):
                    text += event.data
                    if event.message_finished:
                        yield text
                        text = ""
                elif isinstance(event, Pong):
                    self.pongs.append(bytes(event.payload))
                elif isinstance(event, CloseConnection):
                    self.closed = event.code
                    return
            self._protocol.receive_data(self.connection.recv(65536) or None)

    def say(self, event):
        """Sends one of wsproto's events."""
        self.connection.sendall(self._protocol.send(event))
