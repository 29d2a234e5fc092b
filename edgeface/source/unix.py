"""`unix:PATH`: a socket into which text-to-speech programs write, see `voice.Voice`."""

import logging
import os
import select
from typing import Dict, List, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError, one_line
from ..core.rates import MS_NS, SAMPLE_RATE_HZ, SECOND_NS
from ..voice import FURTHEST_S, own_path
from .base import EMPTY, Block, Source, SourceLost
from .chunks import Chunk, ProtocolError
from .connection import Connection
from .listener import Listener

_LOG = logging.getLogger(__name__)
_MOST_QUEUED = 2 * SAMPLE_RATE_HZ  # the writer waits when so many samples are queued
_MOST_CONNECTIONS = 32
# whatever is written, receiving takes at most so much of each 10 ms
_BUDGET_NS = 2 * MS_NS
_ROUND_NS = 10 * MS_NS
_QUIET_NS = 10 * SECOND_NS  # one event at most in so long
_FOLDER_MODE = 0o755


class UnixSource(Source):
    """A listening socket; its writers speak in turn, except one that interrupts.

    A turn goes to a writer that has something to say, first come, first served. It ends with
    the connection, or when others want to speak and nothing was heard of it for a second; the
    connection stays, and what it sent is kept.

    :param path: where the socket is; by default `voice.own_path()`
    :param ahead_ns: how long before it is heard sound must be read, so that the face is in time
    """

    live = True
    playback = True
    pauses = True
    listens = True

    def __init__(self, path: Optional[str] = None, ahead_ns: int = 0) -> None:
        super().__init__("unix" if path is None else f"unix:{path}")
        self._is_default = path is None
        self._path = own_path() if path is None else path
        self._ahead_ns = ahead_ns
        self._listener: Optional[Listener] = None
        self._connections: List[Connection] = []  # in the order in which they get their turns
        self._speaker: Optional[Connection] = None  # one of them
        self._rests_until_ns = 0  # receiving has used up its share of the time
        self._quiet_until_ns: Dict[int, int] = {}  # by level of the event
        self._unreported = 0  # connections that were hung up on meanwhile

    def open(self) -> None:
        """Starts listening.

        :raises UnavailableError: the path is taken or cannot be written
        """
        if self._is_default:
            _make_folder(os.path.dirname(self._path))
        self._listener = Listener(self.name, self._path)

    def read(self, timeout_s: float) -> Block:
        """The next block, when it is due; `base.EMPTY` if none is within `timeout_s`.

        :raises SourceLost: the socket was deleted, and something else is in its place
        """
        self._renew()
        end_ns = monotonic_ns() + int(timeout_s * SECOND_NS)
        while True:
            self._receive()
            now = monotonic_ns()
            wake_ns = end_ns
            speaker = self._speaker
            if speaker is not None:
                if not speaker.queue.samples:
                    speaker.rest(now)
                if speaker.queue.samples:
                    due_ns = speaker.queue.due_ns(now)
                    if due_ns <= now:
                        return speaker.pop()
                    wake_ns = min(end_ns, due_ns)
            if now >= end_ns:
                return EMPTY
            self._wait(now, wake_ns)

    def close(self) -> None:
        """Stops listening and removes the socket."""
        for connection in self._connections:
            connection.close("edgeface stopped listening")
        self._connections = []
        self._speaker = None
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
        if self._listener is not None and len(self._connections) < _MOST_CONNECTIONS:
            awaited.append(self._listener)
        speaker = self._speaker
        if speaker is None:
            # those that have begun a header are looked at again when something else happens
            awaited += [other for other in self._connections if not other.is_speaking]
        elif not speaker.ended and speaker.queue.samples < _MOST_QUEUED:
            awaited.append(speaker)
        return awaited

    def _receive(self) -> None:
        """Queues what was written, as long as there are room and time."""
        now = monotonic_ns()
        if now < self._rests_until_ns:
            return
        until_ns = now + _BUDGET_NS
        all_accepted = self._accept(until_ns)
        self._choose_speaker(now)
        all_queued = self._queue(until_ns)
        if not (all_accepted and all_queued):
            self._rests_until_ns = now + _ROUND_NS

    def _accept(self, until_ns: int) -> bool:
        """Takes new connections; whether there was time for all of them."""
        assert self._listener is not None, "open it first"
        while monotonic_ns() < until_ns:
            if len(self._connections) >= _MOST_CONNECTIONS and not self._make_room():
                return True
            try:
                connection = self._listener.accept()
            except OSError:
                return False  # too many open files: later
            if connection is None:
                return True
            self._connections.append(Connection(connection, self._ahead_ns))
        return False

    def _make_room(self) -> bool:
        """Hangs up on a connection that says nothing; whether there was one."""
        for connection in self._connections:
            if connection is not self._speaker and connection.is_idle:
                self._refuse(connection, "said nothing, and there are too many connections")
                return True
        return False

    def _choose_speaker(self, now: int) -> None:
        """Whoever interrupts, else whoever speaks, else whoever has waited longest."""
        self._look_at_all()
        others = [other for other in self._connections if other is not self._speaker]
        chosen = next((other for other in others if other.interrupts), None)
        if chosen is not None:
            self._interrupt()
        else:
            chosen = next((other for other in others if other.wants(now)), None)
            if self._speaker is not None:
                if not self._speaker.lose_patience(now, chosen is not None):
                    return
                self._connections.remove(self._speaker)
                self._connections.append(self._speaker)  # behind all others
        if chosen is None:
            return
        if self._speaker is not None:
            self._speaker.end_turn()
        self._speaker = chosen
        chosen.begin_turn(now)

    def _look_at_all(self) -> None:
        for connection in list(self._connections):
            if connection is not self._speaker:
                connection.look()
            if connection.ended and not connection.queue.samples:
                self._remove(connection)

    def _interrupt(self) -> None:
        """Drops what is queued, and the connection that speaks."""
        if self._speaker is not None and self._speaker.is_speaking:
            self._refuse(self._speaker, "interrupted by another connection", logging.INFO)
        for connection in self._connections:
            connection.queue.clear()

    def _queue(self, until_ns: int) -> bool:
        """Takes what the speaker wrote; whether there was time for all of it."""
        speaker = self._speaker
        if speaker is None:
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
            self._refuse(speaker, str(error))
        except ConnectionError:
            self._remove(speaker)
        return True

    def _take(self, speaker: Connection, chunk: Chunk) -> None:
        ahead_s = (chunk.play_at_ns - monotonic_ns()) / SECOND_NS
        if ahead_s > FURTHEST_S:
            raise ProtocolError(
                f"play-at time {ahead_s:.0f} s ahead; at most {FURTHEST_S} s of CLOCK_MONOTONIC"
            )
        if chunk.interrupt:
            for connection in self._connections:
                connection.queue.clear()
        speaker.queue.append(chunk.samples, chunk.play_at_ns)

    def _refuse(self, connection: Connection, reason: str, level: int = logging.WARNING) -> None:
        """Hangs up, and says why: to the writer, and in the log."""
        now = monotonic_ns()
        if now < self._quiet_until_ns.get(level, 0):
            self._unreported += 1
        else:
            others = f" (and on {self._unreported} others before)" if self._unreported else ""
            peer = connection.peer
            text = f"{self.name}: hung up on {peer}: {one_line(reason)}{others}"
            _LOG.log(level, "%s", text, extra={"event": "voice_refused"})
            self._quiet_until_ns[level] = now + _QUIET_NS
            self._unreported = 0
        connection.close(reason)
        self._remove(connection)

    def _remove(self, connection: Connection) -> None:
        """Forgets a connection; what of it is queued is dropped."""
        connection.close()
        self._connections.remove(connection)
        if connection is self._speaker:
            self._speaker = None


def _make_folder(folder: str) -> None:
    """The folder of the default path; if it cannot be made, listening says so."""
    try:
        os.makedirs(folder, mode=_FOLDER_MODE, exist_ok=True)
    except OSError:
        pass
