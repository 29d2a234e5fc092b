"""Clients that ask for frames, as those of a phone app do."""

import ipaddress
from typing import Callable, Dict, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import SECOND_NS
from ..shm.reader import ReadFrame
from .account import Account
from .encoder import Encoder
from .outlet import Address, Outlet
from .place import HostPort, look_up
from .route import Route

_MOST = 5
_PATIENCE_NS = 5 * SECOND_NS  # a client may ask before it opens the port where it wants the answer
_FORGIVEN_NS = SECOND_NS


class _Client:
    """A client that has asked: what for, and since when it refuses what it gets."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.refused_since_ns = 0
        self.refused_ns = 0

    def refuse(self, now_ns: int) -> None:
        """Something came back."""
        if now_ns - self.refused_ns > _FORGIVEN_NS:
            self.refused_since_ns = now_ns
        self.refused_ns = now_ns

    @property
    def is_gone(self) -> bool:
        """Whether it has refused for too long."""
        return self.refused_ns - self.refused_since_ns > _PATIENCE_NS


class Clients(Route):
    """Listens at a port, and sends each frame to the clients that have asked there.

    The answer goes to a fixed port of the client's host. Only hosts of the local network are
    answered, since anybody can write any sender into a datagram. A client that refuses is dropped
    after 5 s; of more than five, the one that asked longest ago.

    :param listen: where to listen
    :param reply_port: port of the clients
    :param encoder_for: the encoder for what a client has sent; None where it did not ask
    :raises UnavailableError: the address or the port cannot be had
    """

    def __init__(
        self,
        listen: HostPort,
        reply_port: int,
        encoder_for: Callable[[bytes], Optional[Encoder]],
        account: Account,
    ) -> None:
        self._reply_port = reply_port
        self._encoder_for = encoder_for
        self._clients: Dict[Address, _Client] = {}  # the one that asked longest ago comes first
        try:
            family, address = look_up(listen)[0]
            self._outlet = Outlet(family, account, address)
        except OSError as error:
            raise UnavailableError(
                f"{listen}: {error.strerror}; stop what listens there, or choose another address"
            ) from None

    @property
    def targets(self) -> int:
        """Number of clients."""
        return len(self._clients)

    def send(self, frame: ReadFrame, time_s: float) -> None:
        """Sends a frame to every client."""
        self._drop_refusing()
        for datagram, sender in self._outlet.datagrams():
            self._hear(datagram, sender)
        encoded = {
            encoder: encoder.encode(frame, time_s)
            for encoder in {client.encoder for client in self._clients.values()}
        }
        for address, client in self._clients.items():
            for datagram in encoded[client.encoder]:
                self._outlet.send(datagram, address)

    def close(self) -> None:
        """Closes the socket."""
        self._outlet.close()

    def _hear(self, datagram: bytes, sender: Address) -> None:
        encoder = self._encoder_for(datagram)
        if encoder is None or not _is_local(sender[0]):
            return
        address = (sender[0], self._reply_port) + tuple(sender[2:])
        self._clients.pop(address, None)
        self._clients[address] = _Client(encoder)
        if len(self._clients) > _MOST:
            del self._clients[next(iter(self._clients))]

    def _drop_refusing(self) -> None:
        now_ns = monotonic_ns()
        for address in self._outlet.refusals():
            client = self._clients.get(address)
            if client is not None:
                client.refuse(now_ns)
                if client.is_gone:
                    del self._clients[address]


def _is_local(host: str) -> bool:
    """Whether a host is in a private network, on this link or this machine."""
    return ipaddress.ip_address(host.partition("%")[0]).is_private
