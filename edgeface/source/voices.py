"""Sources that programs speak to through a socket, in turn, whatever the wire is."""

import logging
import select
import socket
from abc import abstractmethod
from typing import List, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import MS_NS, SAMPLE_RATE_HZ, SECOND_NS
from ..voice import FURTHEST_S
from .base import BLOCK_SAMPLES, EMPTY, Block, Source, SourceLost
from .chunks import Chunk, ProtocolError
from .connection import Connection
from .listener import Listener
from .turns import Turns

_LOG = logging.getLogger(__name__)
_MOST_QUEUED = 2 * SAMPLE_RATE_HZ  # the writer waits when so many samples are queued
# whatever is written, receiving takes at most so much of each 10 ms
_BUDGET_NS = 2 * MS_NS
_ROUND_NS = 10 * MS_NS


class VoiceSource(Source):
    """A listening socket, whose writers speak in turn; a derived class knows the wire.

    :param name: its specification
    """

    live = True
    playback = True
    pauses = True
    listens = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.others: List[VoiceSource] = []  # are stopped together with this one
        self._listener: Optional[Listener] = None
        self._turns = Turns(name)
        self._rests_until_ns = 0  # receiving has used up its share of the time

    @abstractmethod
    def _listen(self) -> Listener:
        """Starts listening.

        :raises UnavailableError: the address is taken or cannot be used
        """

    @abstractmethod
    def _meet(self, connection: socket.socket) -> Connection:
        """A writer that has come; its socket does not block."""

    def open(self) -> None:
        """Starts listening.

        :raises UnavailableError: the address is taken or cannot be used
        """
        self._listener = self._listen()

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Block:
        """The next block, when it is due; `base.EMPTY` if none is within `timeout_s`.

        :raises SourceLost: the socket was deleted, and something else is in its place
        """
        self._renew()
        end_ns = monotonic_ns() + int(timeout_s * SECOND_NS)
        while True:
            self._receive()
            now = monotonic_ns()
            wake_ns = end_ns
            speaker = self._turns.speaker
            if speaker is not None:
                if not speaker.queue.samples:
                    speaker.rest(now)
                if speaker.queue.samples:
                    due_ns = speaker.queue.due_ns(now, samples)
                    if due_ns <= now:
                        return speaker.pop(samples)
                    wake_ns = min(end_ns, due_ns)
            if now >= end_ns:
                return EMPTY
            self._wait(now, wake_ns)

    def hush(self) -> None:
        """Ends what is heard, with a fade, and what is queued."""
        self._turns.hush(monotonic_ns())

    def close(self) -> None:
        """Stops listening and hangs up on all writers."""
        self._turns.close("edgeface stopped listening")
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _renew(self) -> None:
        """Makes a socket that was deleted again; whoever is connected speaks on."""
        if self._listener is None or not self._listener.is_deleted():
            return
        self._listener.close()
        try:
            self.open()
        except UnavailableError as error:
            raise SourceLost(f"{error} (the socket was deleted)") from None
        _LOG.warning(
            "%s: was deleted; it is there again", self.name, extra={"event": "source_back"}
        )

    def _wait(self, now: int, wake_ns: int) -> None:
        """Waits for connections and bytes, as long as there is room for either."""
        poll = select.poll()
        if now < self._rests_until_ns:
            wake_ns = min(wake_ns, self._rests_until_ns)
        else:
            for awaited in self._awaited():
                poll.register(awaited, select.POLLIN)
        poll.poll(max(0.0, (wake_ns - now) / MS_NS))

    def _awaited(self) -> list:
        awaited: list = []
        if self._listener is not None and not self._turns.is_full:
            awaited.append(self._listener)
        speaker = self._turns.speaker
        if speaker is None:
            # those that have begun a header are looked at again when something else happens
            awaited += [other for other in self._turns if other.listens and not other.is_speaking]
        elif speaker.listens and speaker.queue.samples < _MOST_QUEUED:
            awaited.append(speaker)
        return awaited

    def _receive(self) -> None:
        """Queues what was written, as long as there are room and time."""
        now = monotonic_ns()
        if now < self._rests_until_ns:
            return
        until_ns = now + _BUDGET_NS
        all_accepted = self._accept(until_ns)
        all_looked_at = self._turns.look_at_all(now)
        self._turns.choose_speaker(now)
        all_queued = self._queue(until_ns)
        if not (all_accepted and all_looked_at and all_queued):
            self._rests_until_ns = now + _ROUND_NS

    def _accept(self, until_ns: int) -> bool:
        """Takes new connections; whether there was time for all of them."""
        assert self._listener is not None, "open it first"
        while monotonic_ns() < until_ns:
            if self._turns.is_full and not (
                self._listener.is_awaited() and self._turns.make_room()
            ):
                return True
            try:
                connection = self._listener.accept()
            except OSError:
                return False  # too many open files: later
            if connection is None:
                return True
            self._turns.add(self._meet(connection))
        return False

    def _queue(self, until_ns: int) -> bool:
        """Takes what the speaker wrote; whether there was time for all of it."""
        speaker = self._turns.speaker
        if speaker is None or speaker.ended:
            return True
        try:
            while speaker.queue.samples < _MOST_QUEUED:
                if monotonic_ns() >= until_ns:
                    return False
                chunk = speaker.take()
                if chunk is not None:
                    self._take(speaker, chunk)
                elif speaker.ended or not speaker.receive():
                    break
        except ProtocolError as error:
            self._turns.refuse(speaker, str(error))
        except OSError:
            self._turns.remove(speaker)
        return True

    def _take(self, speaker: Connection, chunk: Chunk) -> None:
        now = monotonic_ns()
        ahead_s = (chunk.play_at_ns - now) / SECOND_NS
        if ahead_s > FURTHEST_S:
            raise ProtocolError(
                f"play-at time {ahead_s:.0f} s ahead; at most {FURTHEST_S} s of CLOCK_MONOTONIC"
            )
        if chunk.stop:
            self._turns.stop(speaker, now)
            for other in self.others:
                other.hush()
        elif chunk.interrupt:
            self._turns.clear()
        speaker.queue.append(chunk.samples, chunk.play_at_ns)
