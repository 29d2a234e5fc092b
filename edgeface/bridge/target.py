"""One target at a host and a port."""

from typing import Dict

from ..shm.reader import ReadFrame
from .account import Account
from .encoder import Encoder
from .outlet import Outlet
from .place import HostPort, Resolver
from .route import Route


class Target(Route):
    """Sends to one host, wherever it is at the moment."""

    def __init__(self, encoder: Encoder, host_port: HostPort, account: Account) -> None:
        self._encoder = encoder
        self._account = account
        self._resolver = Resolver(host_port)
        self._outlets: Dict[int, Outlet] = {}  # one of each family that was needed, kept for ever

    @property
    def targets(self) -> int:
        """1, or 0 while the host's name is not resolved."""
        return int(self._resolver.place is not None)

    def send(self, frame: ReadFrame, time_s: float) -> None:
        """Sends a frame; what the target refuses is counted."""
        for outlet in self._outlets.values():
            if outlet.refusals():
                self._resolver.doubt()
        place = self._resolver.place
        if place is None:
            if self._resolver.error:
                self._account.refuse(self._resolver.error)
            return
        family, address = place
        try:
            outlet = self._outlets.get(family) or self._outlet(family)
        except OSError as error:  # no IPv6 on this machine, or no descriptor left
            self._account.refuse(f"{address[0]}: {error.strerror}")
            self._resolver.doubt()
            return
        for datagram in self._encoder.encode(frame, time_s):
            if not outlet.send(datagram, address):
                self._resolver.doubt()

    def close(self) -> None:
        """Closes the sockets."""
        self._resolver.close()
        for outlet in self._outlets.values():
            outlet.close()

    def _outlet(self, family: int) -> Outlet:
        outlet = self._outlets[family] = Outlet(family, self._account)
        return outlet
