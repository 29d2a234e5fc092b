"""`wyoming:HOST:PORT`: the sound output of a voice assistant that speaks the Wyoming protocol."""

import socket

from .connection import Connection
from .listener import Listener, TcpListener
from .voices import VoiceSource
from .wyoming_connection import WyomingConnection

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 10601  # where satellites look for a sound service


class WyomingSource(VoiceSource):
    """Listens for assistants.

    :param host: a name or an address of this machine
    :param ahead_ns: how long after it was read sound is heard, and seen
    """

    def __init__(
        self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, ahead_ns: int = 0
    ) -> None:
        shown = f"[{host}]" if ":" in host else host
        super().__init__(f"wyoming:{shown}:{port}")
        self._host = host
        self._port = port
        self._ahead_ns = ahead_ns

    def _listen(self) -> Listener:
        return TcpListener(self.name, self._host, self._port)

    def _meet(self, connection: socket.socket) -> Connection:
        return WyomingConnection(connection, self._ahead_ns)
