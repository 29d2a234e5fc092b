"""What a bridge has sent, what it could not send, and why."""

import logging
from typing import Callable, Optional

from ..core.clock import monotonic_ns
from ..core.rates import SECOND_NS
from ..telemetry.bridges import BridgeReport

_LOG = logging.getLogger(__name__)
_QUIET_NS = 10 * SECOND_NS  # so long nothing may be refused before the target counts as back


class Account:
    """Counts datagrams, and says once when the target is lost, and once when it is back.

    :param name: of the bridge, for messages
    :param clock: CLOCK_MONOTONIC in ns
    """

    def __init__(self, name: str, clock: Callable[[], int] = monotonic_ns) -> None:
        self.name = name
        self.packets = 0
        self.bytes = 0
        self.refused = 0
        self.error = ""
        self._clock = clock
        self._sent_ns: Optional[int] = None
        self._refused_ns: Optional[int] = None
        self._lost = False

    def sent(self, size: int) -> None:
        """A datagram of so many bytes went out."""
        self.packets += 1
        self.bytes += size
        self._sent_ns = self._clock()
        if self._lost and self._sent_ns - (self._refused_ns or 0) > _QUIET_NS:
            self._lost = False
            _LOG.warning("%s: the target is back", self.name, extra={"event": "target_back"})

    def refuse(self, reason: str) -> None:
        """A datagram did not go out, or came back."""
        self.refused += 1
        self.error = reason
        self._refused_ns = self._clock()
        if not self._lost:
            self._lost = True
            _LOG.warning(
                "%s: %s; frames that nobody takes are dropped",
                self.name,
                reason,
                extra={"event": "target_lost"},
            )

    def report(self, pid: int, targets: int) -> BridgeReport:
        """Where the bridge stands."""
        return BridgeReport(
            name=self.name,
            pid=pid,
            targets=targets,
            packets=self.packets,
            bytes=self.bytes,
            refused=self.refused,
            error=self.error,
            packet_age_s=self._age_s(self._sent_ns),
            refused_age_s=self._age_s(self._refused_ns),
        )

    def _age_s(self, then_ns: Optional[int]) -> Optional[float]:
        return None if then_ns is None else round((self._clock() - then_ns) / SECOND_NS, 3)
