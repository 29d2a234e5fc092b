"""`unix:PATH`: a socket into which text-to-speech programs write, see `voice.Voice`."""

import os
import select
import socket
import struct
from typing import Optional

import numpy as np

from ..voice import HEADER, INTERRUPT, MAGIC, STOP, own_path
from .chunks import Chunk, ChunkParser
from .connection import Connection
from .listener import Listener, UnixListener
from .voices import VoiceSource

_FOLDER_MODE = 0o755
_RECEIVED_BYTES = 16384
_CREDENTIALS = struct.Struct("3i")  # pid, user, group


class UnixSource(VoiceSource):
    """Listens in the file system for programs of this user and group.

    :param path: where the socket is; by default `voice.own_path()`
    :param ahead_ns: how long before it is heard sound must be read, so that the face is in time
    """

    def __init__(self, path: Optional[str] = None, ahead_ns: int = 0) -> None:
        super().__init__("unix" if path is None else f"unix:{path}")
        self._is_default = path is None
        self._path = own_path() if path is None else path
        self._ahead_ns = ahead_ns

    def _listen(self) -> Listener:
        if self._is_default:
            _make_folder(os.path.dirname(self._path))
        return UnixListener(self.name, self._path)

    def _meet(self, connection: socket.socket) -> Connection:
        return UnixConnection(connection, self._ahead_ns)


class UnixConnection(Connection):
    """A writer of chunks."""

    def __init__(self, connection: socket.socket, ahead_ns: int) -> None:
        super().__init__(connection, ahead_ns)
        self._parser = ChunkParser()
        self._header = b""  # the next one, as far as it was peeked at

    @property
    def peer(self) -> str:
        """The process that writes, for messages."""
        try:
            credentials = self._socket.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
            )
            pid, user, _ = _CREDENTIALS.unpack(credentials)
        except OSError:
            return "a process"
        return f"process {pid} of user {user}"

    @property
    def interrupts(self) -> bool:
        """Whether the next chunk, of which nothing was read yet, drops all others' sound."""
        return bool(self._flags & (INTERRUPT | STOP))

    @property
    def stops(self) -> bool:
        """Whether it does so with a fade, and drops all others that have something to say."""
        return bool(self._flags & STOP)

    @property
    def is_speaking(self) -> bool:
        """Whether a part of its sound is queued or still to come."""
        return bool(self.queue.samples) or self._parser.in_sound or bool(self._header)

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost but the connection itself, or half a header."""
        return not self.queue.samples and not self._parser.in_sound and not self._has_header

    @property
    def _has_header(self) -> bool:
        return len(self._header) == HEADER.size

    @property
    def _flags(self) -> int:
        """Of the next chunk; 0 where what was written is none, which its turn will show."""
        if not self._has_header:
            return 0
        magic, _, _, flags, _ = HEADER.unpack(self._header)
        return int(flags) if magic == MAGIC and flags in (INTERRUPT, STOP) else 0

    def look(self, now: int) -> bool:
        """Peeks at the next header."""
        if self.ended or self._has_header or not self._parser.between_chunks:
            return True
        try:
            self._header = self._socket.recv(HEADER.size, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            self.ended = True
            return True
        if not self._has_header and self._is_hung_up():
            self.ended = True  # nothing, or half a header, and no more will follow
        return True

    def _is_hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self, select.POLLRDHUP)
        return bool(poll.poll(0))

    def wants(self, now: int) -> bool:
        """Whether it has something to say: sound that is due, or bytes to be read."""
        if self.queue.samples:
            return self.queue.begins(now)
        if self.ended:
            return False
        if self._parser.between_chunks:
            return self._has_header
        return self.is_readable()

    def receive(self) -> bool:
        """Reads some bytes; whether there may be more."""
        try:
            data = self._socket.recv(_RECEIVED_BYTES)
        except BlockingIOError:
            return False
        self._header = b""
        if not data:
            self.ended = True
            self.queue.append(self._parser.finish())
            return False
        self._parser.put(data)
        return True

    def take(self) -> Optional[Chunk]:
        """As `ChunkParser.take`."""
        return self._parser.take()

    def _finish(self) -> np.ndarray:
        return self._parser.finish()

    def _farewell(self, reason: str) -> bytes:
        return f"{reason}\n".encode("utf-8", "replace")


def _make_folder(folder: str) -> None:
    """The folder of the default path; if it cannot be made, listening says so."""
    try:
        os.makedirs(folder, mode=_FOLDER_MODE, exist_ok=True)
    except OSError:
        pass
