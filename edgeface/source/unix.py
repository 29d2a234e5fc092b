"""`unix:PATH`: a socket into which a text-to-speech program writes its voice, see `voice.Voice`."""

import os
import select
import socket
import stat
from typing import List, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import MS_NS, SAMPLE_RATE_HZ, SECOND_NS
from ..voice import HEADER, INTERRUPT
from .base import EMPTY, Block, Source
from .chunks import ChunkParser, ProtocolError
from .voice_queue import VoiceQueue

_MOST_QUEUED = 2 * SAMPLE_RATE_HZ  # the writer waits when so many samples are queued
_PAUSE_NS = 50 * MS_NS  # after so long the resampler's last samples come out
_MOST_WAITING = 8  # writers
_RECEIVED_BYTES = 16384


class UnixSource(Source):
    """A listening socket; one writer is active, the next ones wait, except one that interrupts.

    :param path: where the socket is
    :param ahead_ns: how long before it is heard sound must be read, so that the face is in time
    """

    live = True
    playback = True
    pauses = True
    listens = True

    def __init__(self, path: str, ahead_ns: int = 0) -> None:
        super().__init__(f"unix:{path}")
        self._path = path
        self._ahead_ns = ahead_ns
        self._queue = VoiceQueue(ahead_ns)
        self._parser = ChunkParser()  # of the active writer, or of the last one
        self._listener: Optional[socket.socket] = None
        self._writer: Optional[socket.socket] = None  # the active one
        self._waiting: List[socket.socket] = []  # writers, in the order in which they came

    def open(self) -> None:
        """Starts listening.

        :raises UnavailableError: the path is taken or cannot be written
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            if _is_abandoned(self._path):
                os.unlink(self._path)
            listener.bind(self._path)
            os.chmod(self._path, 0o660)
            listener.listen(_MOST_WAITING)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise UnavailableError(
                f"{self.name}: {error.strerror or error};"
                " choose a path that the service can write and no other program listens at"
            ) from None
        self._listener = listener
        self._queue = VoiceQueue(self._ahead_ns)
        self._parser = ChunkParser()

    def read(self, timeout_s: float) -> Block:
        """The next block, when it is due; `base.EMPTY` if none is within `timeout_s`."""
        end_ns = monotonic_ns() + int(timeout_s * SECOND_NS)
        while True:
            self._receive()
            now = monotonic_ns()
            if not self._queue.samples:
                self._pause(now)
            wake_ns = end_ns
            if self._queue.samples:
                due_ns = self._queue.due_ns(now)
                if due_ns <= now:
                    return self._queue.pop()
                wake_ns = min(end_ns, due_ns)
            if now >= end_ns:
                return EMPTY
            self._wait((wake_ns - now) / SECOND_NS)

    def close(self) -> None:
        """Stops listening and removes the socket."""
        for writer in self._waiting:
            writer.close()
        self._waiting = []
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            try:
                os.unlink(self._path)
            except OSError:
                pass  # somebody else removed it

    def _pause(self, now: int) -> None:
        """Nothing is queued."""
        self._queue.pause()
        if self._queue.idle_ns(now) > _PAUSE_NS:
            self._queue.append(self._parser.finish())

    def _wait(self, seconds: float) -> None:
        """Waits for writers to come or to write, as long as there is room for either."""
        expected = []
        if self._listener is not None and len(self._waiting) < _MOST_WAITING:
            expected.append(self._listener)
        if self._writer is not None and self._queue.samples < _MOST_QUEUED:
            expected.append(self._writer)
        select.select(expected, [], [], seconds)

    def _receive(self) -> None:
        """Queues what has been written, as long as there is room."""
        self._accept_writers()
        self._choose_writer()
        if self._writer is None:
            return
        try:
            while self._queue.samples < _MOST_QUEUED:
                data = self._writer.recv(_RECEIVED_BYTES)
                if not data:
                    self._queue.append(self._parser.finish())
                    self._hang_up()
                    return
                for chunk in self._parser.accept(data):
                    if chunk.interrupt:
                        self._queue.clear()
                    self._queue.append(chunk.samples, chunk.play_at_ns)
        except BlockingIOError:
            pass
        except (ProtocolError, ConnectionError):
            self._hang_up()  # the writer notices: its next write fails

    def _accept_writers(self) -> None:
        assert self._listener is not None, "open it first"
        try:
            while len(self._waiting) < _MOST_WAITING:
                writer, _ = self._listener.accept()
                writer.setblocking(False)
                self._waiting.append(writer)
        except BlockingIOError:
            pass

    def _choose_writer(self) -> None:
        """Whoever interrupts, else whoever is active, else whoever came first."""
        chosen = next(filter(_interrupts, self._waiting), None)
        if chosen is not None:
            self._hang_up()
            self._queue.clear()
        elif self._writer is None and self._waiting:
            chosen = self._waiting[0]
        if chosen is not None:
            self._waiting.remove(chosen)
            self._writer = chosen
            self._parser = ChunkParser()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _interrupts(writer: socket.socket) -> bool:
    """Whether the first chunk that a writer has sent, and nobody has read yet, interrupts."""
    try:
        first = writer.recv(HEADER.size, socket.MSG_PEEK)
    except OSError:
        return False
    return len(first) == HEADER.size and bool(HEADER.unpack(first)[3] & INTERRUPT)


def _is_abandoned(path: str) -> bool:
    """Whether there is a socket at which nobody listens any more."""
    if not os.path.exists(path) or not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        probe.connect(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    finally:
        probe.close()
    return False
