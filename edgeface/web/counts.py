"""What a server has sent to its clients."""

import threading
from typing import Dict


class Counts:
    """Counters since the start, which the threads of all clients add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values = {"events": 0, "bytes": 0, "skipped": 0, "refused": 0}

    def add(self, **more: int) -> None:
        """Adds to the counters of these names: `events`, `bytes`, `skipped` or `refused`."""
        with self._lock:
            for name, number in more.items():
                self._values[name] += number

    def values(self) -> Dict[str, int]:
        """All counters: events and bytes sent, events that slow clients missed, and requests and
        connections refused.
        """
        with self._lock:
            return dict(self._values)
