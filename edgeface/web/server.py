"""Serves a stream of frames, one for all clients."""

import socket
from typing import Type

from .access import Access
from .frames import Frames, Message
from .http import HttpHandler, HttpServer
from .message import frame_message, names_message
from .streams import EventStream, Stream, WebSocketStream, encode

_SEND_BUFFER = 8192  # bytes, some frames: a slow client misses frames, they do not queue
_BEGINNING = encode(0, names_message())


class Handler(HttpHandler):
    """Answers the requests of one connection; `/frames` is the stream."""

    server: "Server"

    def answer(self) -> None:
        """Streams frames."""
        if self.path == "/frames":
            self._stream()
        else:
            super().answer()

    def _stream(self) -> None:
        if not self.server.access.lets_read(self.headers):
            return self.refuse("Origin")
        upgrade = self.headers.get("Upgrade", "").lower() == "websocket"
        stream: Stream = (WebSocketStream if upgrade else EventStream)(self)
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        try:
            stream.open(self.headers.get("Origin", ""))
        except ValueError as error:
            return self.send_error(400, explain=str(error))
        with self.server.frames.client():
            self._send_all(stream)

    def _send_all(self, stream: Stream) -> None:
        frames = self.server.frames
        counts = self.server.counts
        newest = frames.newest
        counts.sent(stream.send(_BEGINNING), skipped=0)
        while stream.goes_on():
            event = frames.after(newest)
            skipped = event.number - newest - 1
            newest = event.number
            counts.sent(stream.send(event), skipped)


class Server(HttpServer):
    """Serves frames.

    :param host: where to listen: an address of this machine, or its name
    :param port: 0 for any that is free
    :param shm: name of the segment
    :param access: whose requests are answered
    :param handler: answers them
    :param message: what is sent of a frame
    :raises OSError: the address or the port cannot be had
    """

    def __init__(
        self,
        host: str,
        port: int,
        shm: str,
        access: Access,
        handler: Type[Handler] = Handler,
        message: Message = frame_message,
    ) -> None:
        self.frames = Frames(shm, message)
        super().__init__(host, port, access, handler)
