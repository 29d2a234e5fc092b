"""One writer at a voice's socket: what of its sound is queued, and its patience."""

import select
import socket
from abc import ABC, abstractmethod
from typing import Optional

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SECOND_NS
from .base import BLOCK_SAMPLES, Block
from .chunks import Chunk
from .selector import SOUND_PEAK
from .voice_queue import VoiceQueue

_PAUSE_NS = 50 * MS_NS  # after so long the resampler's last samples come out
# so long a writer whose turn it is may deliver no sound while others want to speak
_PATIENCE_NS = SECOND_NS
_REGAINED = 2  # sound gives so many times its length of patience back
_LONGEST_STEP_NS = 100 * MS_NS  # a process that was held up does not blame the writer


class Connection(ABC):
    """A writer, whether it is its turn or not; a derived class knows the wire.

    :param connection: socket that does not block
    :param ahead_ns: as `VoiceQueue`
    """

    def __init__(self, connection: socket.socket, ahead_ns: int) -> None:
        self.queue = VoiceQueue(ahead_ns)
        self.ended = False  # the writer closed its end, or was hung up on
        self._socket = connection
        self._accepted_ns = monotonic_ns()
        self._patience_ns = _PATIENCE_NS
        self._asked_ns = 0

    def fileno(self) -> int:
        """The descriptor, to wait for bytes."""
        return self._socket.fileno()

    @property
    @abstractmethod
    def peer(self) -> str:
        """Who writes, for messages."""

    @property
    def interrupts(self) -> bool:
        """Whether what it says next, of which nothing was read yet, drops all others' sound."""
        return False

    @property
    def stops(self) -> bool:
        """Whether it does so with a fade, and drops all others that have something to say."""
        return False

    @property
    @abstractmethod
    def is_speaking(self) -> bool:
        """Whether a part of its sound is queued or still to come."""

    def is_new(self, now: int) -> bool:
        """Whether it came less than a second ago, so that it may not have said anything yet."""
        return now - self._accepted_ns < _PATIENCE_NS

    @property
    @abstractmethod
    def is_idle(self) -> bool:
        """Whether nothing would be lost but the connection itself, or what it has not completed."""

    @abstractmethod
    def look(self, now: int) -> bool:
        """Looks at what the writer sent, while it is not its turn, without taking sound.

        :return: whether that was all: if not, there may be more at once
        :raises OSError: the writer is gone
        :raises ProtocolError: it is invalid
        """

    @abstractmethod
    def wants(self, now: int) -> bool:
        """Whether it has something to say: sound that is due, or bytes to be read."""

    @abstractmethod
    def receive(self) -> bool:
        """Reads some bytes; whether there may be more.

        :raises OSError: the writer is gone
        :raises ProtocolError: they do not come
        """

    @abstractmethod
    def take(self) -> Optional[Chunk]:
        """The next part of what was received: bounded work; None when more bytes are needed.

        :raises ProtocolError: it is invalid
        """

    @abstractmethod
    def _finish(self) -> np.ndarray:
        """The sound that the resampler still holds back, float32 [n]."""

    @abstractmethod
    def _farewell(self, reason: str) -> bytes:
        """What the writer is told before the connection is closed."""

    @property
    def listens(self) -> bool:
        """Whether bytes that come now would be read, were it its turn."""
        return not self.ended

    def is_readable(self) -> bool:
        """Whether there are bytes to be read, or the end."""
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

    def rest(self, now: int) -> None:
        """Nothing is queued: the sound of before comes out whole, if nothing follows."""
        self.queue.pause()
        if self.queue.idle_ns(now) > _PAUSE_NS:
            self.queue.append(self._finish())

    def pop(self, samples: int = BLOCK_SAMPLES) -> Block:
        """The next block, see `VoiceQueue.pop`."""
        block = self.queue.pop(samples)
        if np.abs(block.samples).max() > SOUND_PEAK:
            regained_ns = _REGAINED * (block.end_ns - block.audio_ns)
            self._patience_ns = min(_PATIENCE_NS, self._patience_ns + regained_ns)
        return block

    def close(self, reason: str = "") -> None:
        """Hangs up.

        :param reason: what the writer is told, one line
        """
        if reason:
            self._send(self._farewell(reason))
        self._socket.close()
        self.ended = True

    def _send(self, data: bytes) -> None:
        """Writes at once; whoever is gone or does not read is hung up on."""
        try:
            self.ended = self._socket.send(data, socket.MSG_DONTWAIT) < len(data) or self.ended
        except OSError:
            self.ended = True
