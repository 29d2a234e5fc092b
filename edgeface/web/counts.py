"""What a server has sent to its clients, and whom it has refused."""

import threading
from typing import NamedTuple, Optional

from ..core.clock import monotonic_ns


class Sums(NamedTuple):
    """Since the start; times are CLOCK_MONOTONIC in ns, None for never."""

    events: int = 0
    bytes: int = 0
    skipped: int = 0  # events that slow clients missed
    refused: int = 0  # requests and connections
    error: str = ""  # why, the last time
    sent_ns: Optional[int] = None  # the last event
    refused_ns: Optional[int] = None


class Counts:
    """Is told by the threads of all clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sums = Sums()

    def sent(self, size: int, skipped: int) -> None:
        """An event of so many bytes went out, after so many that the client missed."""
        with self._lock:
            before = self.sums
            self.sums = before._replace(
                events=before.events + 1,
                bytes=before.bytes + size,
                skipped=before.skipped + skipped,
                sent_ns=monotonic_ns(),
            )

    def refuse(self, reason: str) -> None:
        """A request or a connection was refused."""
        with self._lock:
            refused = self.sums.refused + 1
            self.sums = self.sums._replace(refused=refused, error=reason, refused_ns=monotonic_ns())
