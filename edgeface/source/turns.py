"""Whose turn it is at a voice's socket, and who is hung up on."""

import logging
from typing import Dict, Iterator, List, Optional

from ..core.clock import monotonic_ns
from ..core.errors import one_line
from ..core.rates import SECOND_NS
from .chunks import ProtocolError
from .connection import Connection

_LOG = logging.getLogger(__name__)
_MOST_CONNECTIONS = 32
_QUIET_NS = 10 * SECOND_NS  # one event at most in so long


class Turns:
    """The connections of a source, which speak in turn, except one that interrupts.

    A turn goes to a writer that has something to say, first come, first served. It ends with
    the connection, or when others want to speak and nothing was heard of it for a second; the
    connection stays, and what it sent is kept.

    :param name: of the source, for messages
    """

    def __init__(self, name: str) -> None:
        self.speaker: Optional[Connection] = None  # whose turn it is
        self._name = name
        self._connections: List[Connection] = []  # in the order in which they get their turns
        self._quiet_until_ns: Dict[int, int] = {}  # by level of the event
        self._unreported = 0  # connections that were hung up on meanwhile

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another connection."""
        return len(self._connections) >= _MOST_CONNECTIONS

    def add(self, connection: Connection) -> None:
        """Takes a new connection; its turn comes after those of the others."""
        self._connections.append(connection)

    def make_room(self) -> bool:
        """Hangs up on a connection that says nothing; whether there was one."""
        now = monotonic_ns()
        for connection in self._connections:
            if connection is self.speaker or connection.is_new(now):
                continue
            if connection.is_idle:
                self.refuse(connection, "said nothing, and there are too many connections")
                return True
        return False

    def look_at_all(self, now: int) -> bool:
        """Looks at what those sent whose turn it is not; whether that was all they sent."""
        all_looked_at = True
        for connection in list(self._connections):
            try:
                if connection is not self.speaker:
                    all_looked_at = connection.look(now) and all_looked_at
            except ProtocolError as error:
                self.refuse(connection, str(error))
            except OSError:
                self.remove(connection)
            else:
                if connection.ended and not connection.queue.samples:
                    self.remove(connection)
        return all_looked_at

    def choose_speaker(self, now: int) -> None:
        """Whoever interrupts, else whoever speaks, else whoever has waited longest."""
        others = [other for other in self._connections if other is not self.speaker]
        chosen = next((other for other in others if other.interrupts), None)
        if chosen is not None and chosen.stops:
            self.stop(chosen, now)
        elif chosen is not None:
            self._interrupt()
        else:
            chosen = next((other for other in others if other.wants(now)), None)
            if self.speaker is not None:
                if not self.speaker.lose_patience(now, chosen is not None):
                    return
                self._connections.remove(self.speaker)
                self._connections.append(self.speaker)  # behind all others
        if chosen is None:
            return
        if self.speaker is not None:
            self.speaker.end_turn()
        self.speaker = chosen
        chosen.begin_turn(now)

    def clear(self) -> None:
        """Drops what is queued, of all connections."""
        for connection in self._connections:
            connection.queue.clear()

    def stop(self, stopper: Connection, now: int) -> None:
        """Hangs up on all others that have something to say; what is heard fades out."""
        speaker = self.speaker
        for other in list(self._connections):
            if other is not stopper and other.is_speaking:
                self.refuse(other, "stopped by another connection", logging.INFO)
        if speaker is not None and speaker is not stopper:
            stopper.queue, speaker.queue = speaker.queue, stopper.queue
            speaker.queue.clear()
        stopper.queue.fade(now)

    def hush(self, now: int) -> None:
        """Hangs up on all that have something to say; what is heard fades out."""
        for connection in list(self._connections):
            if not connection.is_speaking:
                continue
            self._hang_up(connection, "stopped by another program", logging.INFO)
            if connection is self.speaker:
                connection.queue.fade(now)  # and it is forgotten after that
            else:
                self.remove(connection)

    def refuse(self, connection: Connection, reason: str, level: int = logging.WARNING) -> None:
        """Hangs up and forgets it; says why."""
        self._hang_up(connection, reason, level)
        self.remove(connection)

    def _hang_up(self, connection: Connection, reason: str, level: int) -> None:
        """Hangs up, and says why: to the writer, and in the log."""
        now = monotonic_ns()
        if now < self._quiet_until_ns.get(level, 0):
            self._unreported += 1
        else:
            others = f" (and on {self._unreported} others before)" if self._unreported else ""
            peer = connection.peer
            text = f"{self._name}: hung up on {peer}: {one_line(reason)}{others}"
            _LOG.log(level, "%s", text, extra={"event": "voice_refused"})
            self._quiet_until_ns[level] = now + _QUIET_NS
            self._unreported = 0
        connection.close(reason)

    def remove(self, connection: Connection) -> None:
        """Forgets a connection; what of it is queued is dropped."""
        connection.close()
        self._connections.remove(connection)
        if connection is self.speaker:
            self.speaker = None

    def close(self, reason: str) -> None:
        """Hangs up on all."""
        for connection in self._connections:
            connection.close(reason)
        self._connections = []
        self.speaker = None

    def _interrupt(self) -> None:
        """Drops what is queued, and the connection that speaks."""
        if self.speaker is not None and self.speaker.is_speaking:
            self.refuse(self.speaker, "interrupted by another connection", logging.INFO)
        self.clear()
