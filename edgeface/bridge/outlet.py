"""The socket that datagrams leave by."""

import os
import socket
import struct
from typing import Any, Iterator, List, Optional, Tuple

from .account import Account

Address = Tuple[Any, ...]  # of a socket: host and port, and for IPv6 two numbers more

# linux/in.h and in6.h: errors that come back, such as ICMP's, wait in a queue with their addresses
_KEEP_ERRORS = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
_ERROR = struct.Struct("=I")  # the first field of struct sock_extended_err
_ERROR_BYTES = 512
_MOST_AT_ONCE = 16  # datagrams read between two frames
_LONGEST = 2048  # bytes of a datagram that is read


class Outlet:
    """A UDP socket that never blocks, and counts what it sends and what is refused.

    It is not connected: each datagram takes the route of the moment, also after this machine got
    another address. Its port stays the same, by which receivers tell senders apart.

    :param family: AF_INET or AF_INET6
    :param listen: address to receive at; None: to send only
    :raises OSError: the family or the address cannot be had
    """

    def __init__(self, family: int, account: Account, listen: Optional[Address] = None) -> None:
        self._account = account
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(*_KEEP_ERRORS[socket.AddressFamily(family)], 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if listen is not None:
                self._socket.bind(listen)
        except OSError:
            self._socket.close()
            raise

    def send(self, datagram: bytes, address: Address) -> bool:
        """Sends a datagram, or counts it as refused."""
        number: Optional[int] = None
        for _ in range(2):  # the first error may be that of an earlier datagram, see `refusals`
            try:
                self._socket.sendto(datagram, address)
            except OSError as error:
                number = error.errno
            else:
                self._account.sent(len(datagram))
                return True
        self._account.refuse(_reason(number, address))
        return False

    def refusals(self) -> List[Address]:
        """Counts what came back since the last look; the addresses that it was sent to."""
        found = []
        for _, ancillary, _, address in self._received(socket.MSG_ERRQUEUE):
            numbers = [_ERROR.unpack_from(data)[0] for _, _, data in ancillary if data]
            self._account.refuse(_reason(numbers[0] if numbers else None, address))
            found.append(address)
        return found

    def datagrams(self) -> List[Tuple[bytes, Address]]:
        """What was received since the last look, and from where."""
        return [(data, address) for data, _, _, address in self._received(0)]

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def _received(self, flags: int) -> Iterator[Tuple[bytes, List[Any], int, Address]]:
        for _ in range(_MOST_AT_ONCE):
            try:
                yield self._socket.recvmsg(_LONGEST, _ERROR_BYTES, flags)
            except BlockingIOError:
                return
            except OSError:  # one that waits in the queue of errors, too
                continue


def _reason(number: Optional[int], address: Address) -> str:
    text = os.strerror(number) if number else "refused"
    return f"{address[0]} port {address[1]}: {text}" if address else text
