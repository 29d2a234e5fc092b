"""One writer at the voice's socket: what it sent, what of it is queued, and its patience."""

import select
import socket
import struct
from typing import Optional

import numpy as np

from ..core.rates import MS_NS, SECOND_NS
from ..voice import HEADER, INTERRUPT
from .base import Block
from .chunks import Chunk, ChunkParser
from .selector import SOUND_PEAK
from .voice_queue import VoiceQueue

_RECEIVED_BYTES = 16384
_PAUSE_NS = 50 * MS_NS  # after so long the resampler's last samples come out
# so long a writer whose turn it is may deliver no sound while others want to speak
_PATIENCE_NS = SECOND_NS
_REGAINED = 2  # sound gives so many times its length of patience back
_LONGEST_STEP_NS = 100 * MS_NS  # a process that was held up does not blame the writer
_CREDENTIALS = struct.Struct("3i")  # pid, user, group


class Connection:
    """A writer, whether it is its turn or not.

    :param connection: socket that does not block
    :param ahead_ns: as `VoiceQueue`
    """

    def __init__(self, connection: socket.socket, ahead_ns: int) -> None:
        self.queue = VoiceQueue(ahead_ns)
        self.ended = False  # the writer closed its end, or was hung up on
        self._socket = connection
        self._parser = ChunkParser()
        self._patience_ns = _PATIENCE_NS
        self._asked_ns = 0
        self._header = b""  # the next one, as far as it was peeked at

    def fileno(self) -> int:
        """The descriptor, to wait for bytes."""
        return self._socket.fileno()

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
        return self._has_header and bool(HEADER.unpack(self._header)[3] & INTERRUPT)

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

    def look(self) -> None:
        """Looks at what the writer sent, while it is not its turn, without taking it."""
        if self.ended or self._has_header or not self._parser.between_chunks:
            return
        try:
            self._header = self._socket.recv(HEADER.size, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            self.ended = True
            return
        if not self._has_header and self._is_hung_up():
            self.ended = True  # nothing, or half a header, and no more will follow

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
        poll = select.poll()
        poll.register(self, select.POLLIN)
        return bool(poll.poll(0))

    def begin_turn(self, now: int) -> None:
        """It is its turn."""
        self._patience_ns = _PATIENCE_NS
        self._asked_ns = now

    def end_turn(self) -> None:
        """Others speak; what is queued or half received is kept."""
        self.queue.pause()

    def lose_patience(self, now: int, others_want: bool) -> bool:
        """Notes how long others have waited; whether they have waited for long enough."""
        waited_ns = min(now - self._asked_ns, _LONGEST_STEP_NS)
        self._asked_ns = now
        if others_want:
            self._patience_ns -= waited_ns
        return self._patience_ns < 0

    def receive(self) -> bool:
        """Reads some bytes; whether there may be more.

        :raises ConnectionError: the writer is gone
        """
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

    def rest(self, now: int) -> None:
        """Nothing is queued: the sound of before comes out whole, if nothing follows."""
        self.queue.pause()
        if self.queue.idle_ns(now) > _PAUSE_NS:
            self.queue.append(self._parser.finish())

    def pop(self) -> Block:
        """The next block, see `VoiceQueue.pop`."""
        block = self.queue.pop()
        if np.abs(block.samples).max() > SOUND_PEAK:
            regained_ns = _REGAINED * (block.end_ns - block.audio_ns)
            self._patience_ns = min(_PATIENCE_NS, self._patience_ns + regained_ns)
        return block

    def close(self, reason: str = "") -> None:
        """Hangs up.

        :param reason: what the writer is told, one line
        """
        if reason:
            try:
                self._socket.send(f"{reason}\n".encode("utf-8", "replace"), socket.MSG_DONTWAIT)
            except OSError:
                pass  # it is gone, or does not read
        self._socket.close()
        self.ended = True
