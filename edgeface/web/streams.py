"""Two ways to send events to a browser: Server-Sent Events and WebSocket."""

import abc
import select
import socket
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from h11 import LocalProtocolError
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping
from wsproto.frame_protocol import CloseReason, FrameProtocol
from wsproto.utilities import RemoteProtocolError

_MOST_READ = 4096  # bytes of what a client says, between two events
# all that a handshake needs; what else a client sends, nothing has to parse
_HANDSHAKE = ("Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


class Event(NamedTuple):
    """A message as both ways send it, encoded once for all clients."""

    number: int
    """counted from 1 on; 0 is what a connection begins with"""

    server_sent: bytes
    websocket: bytes


def encode(number: int, message: str) -> Event:
    """A message without line feeds as an event."""
    frame = FrameProtocol(client=False, extensions=[]).send_data(message, fin=True)
    return Event(number, f"data: {message}\n\n".encode(), bytes(frame))


class Stream(abc.ABC):
    """Sends events to one client.

    :param handler: of its request
    """

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler
        self._socket: socket.socket = handler.connection

    @abc.abstractmethod
    def open(self, origin: str) -> None:
        """Answers the request.

        :param origin: the origin whose pages may read the answer; empty: no others than the own
        :raises ValueError: the request is none for this kind of stream
        """

    @abc.abstractmethod
    def send(self, event: Event) -> int:
        """Sends an event; the number of its bytes."""

    def goes_on(self) -> bool:
        """Whether the client still listens, once what it said meanwhile is answered."""
        return True


class EventStream(Stream):
    """Server-Sent Events, for `EventSource` and `curl`."""

    def open(self, origin: str) -> None:
        """Sends the head of an answer that has no end."""
        handler = self._handler
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Cache-Control", "no-store")
        handler.send_header("Connection", "close")
        if origin:
            handler.send_header("Access-Control-Allow-Origin", origin)
        handler.send_header("Vary", "Origin")
        handler.end_headers()

    def send(self, event: Event) -> int:
        """Sends an event; the number of its bytes."""
        self._socket.sendall(event.server_sent)
        return len(event.server_sent)


class WebSocketStream(Stream):
    """WebSocket: what a client says is answered by the protocol's rules, and otherwise ignored."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        super().__init__(handler)
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._incoming = select.poll()
        self._incoming.register(self._socket, select.POLLIN)

    def open(self, origin: str) -> None:
        """Completes the handshake. Browsers let any page connect: the origin is checked before."""
        headers = [
            (name.encode(), value.encode("latin-1"))
            for name in _HANDSHAKE
            for value in self._handler.headers.get_all(name, [])
        ]
        try:
            self._protocol.initiate_upgrade_connection(headers, "/")
            answer = self._protocol.send(AcceptConnection())
        except (RemoteProtocolError, LocalProtocolError) as error:
            raise ValueError(str(error)) from None
        self._socket.sendall(answer)

    def send(self, event: Event) -> int:
        """Sends an event; the number of its bytes."""
        self._socket.sendall(event.websocket)
        return len(event.websocket)

    def goes_on(self) -> bool:
        """Answers pings, and the goodbye, which one that breaks the rules gets, too."""
        if not self._incoming.poll(0):
            return True
        self._protocol.receive_data(self._socket.recv(_MOST_READ) or None)
        for event in self._protocol.events():
            if isinstance(event, Ping):
                self._socket.sendall(self._protocol.send(event.response()))
            elif isinstance(event, CloseConnection):
                if event.code != CloseReason.ABNORMAL_CLOSURE:
                    self._socket.sendall(self._protocol.send(event.response()))
                return False
        return True
