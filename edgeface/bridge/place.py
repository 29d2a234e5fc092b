"""Hosts and ports as they are written, and where a host is: a name is looked up in a thread."""

import ipaddress
import logging
import re
import socket
import threading
from typing import List, NamedTuple, Optional, Tuple

from ..core.errors import UsageError
from .outlet import Address

Place = Tuple[int, Address]  # family and address of a socket

_LOG = logging.getLogger(__name__)
_WRITTEN = re.compile(
    r"(?:\[(?P<bracketed>[^][]+)\]|(?P<name>[^][:\s/]+))(?::(?P<port>\d{1,5}))?"
    r"|(?P<bare>[^][\s/]*:[^][\s/]*:[^][\s/]*)"
)
_AGAIN_S = 60.0  # a name that works is looked up again after so long
_FIRST_PAUSE_S = 1.0  # before one that fails, or whose target refuses, is looked up again
_LONGEST_PAUSE_S = 32.0


class HostPort(NamedTuple):
    """A host, by name or address, and a UDP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_host_port(text: str, default_port: Optional[int]) -> HostPort:
    """What `HOST`, `HOST:PORT`, an IPv6 address or `[ADDRESS]:PORT` names.

    :param default_port: None where a port must be given
    :raises UsageError: it is none of them
    """
    match = _WRITTEN.fullmatch(text)
    address = match and (match.group("bracketed") or match.group("bare"))
    host = address or (match and match.group("name"))
    if not match or not host or not (_is_ipv6(host) if address else _is_name(host)):
        raise UsageError(f"{text}: no host; write NAME, 192.168.1.20 or [fd00::1], and :PORT after")
    written = match.group("port")
    port = int(written) if written else default_port
    if port is None:
        raise UsageError(f"{text}: no port; write {text}:PORT")
    if not 0 < port < 65536:
        raise UsageError(f"{text}: port {port} is out of range; 1 to 65535")
    return HostPort(host, port)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text.partition("%")[0])
        return True
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    """Whether this can be a name or an IPv4 address."""
    try:
        if re.fullmatch(r"[\d.]+", text):
            ipaddress.IPv4Address(text)
        return text.isprintable() and len(text.encode("idna")) < 254
    except ValueError:  # UnicodeError is one
        return False


def look_up(place: HostPort, flags: int = 0) -> List[Place]:
    """Where a host is, IPv4 first, which more receivers listen at; may take long.

    :param flags: of getaddrinfo
    :raises OSError: it is nowhere
    """
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_DGRAM, flags=flags)
    places = [(int(family), address) for family, _, _, _, address in found]
    return sorted(places, key=lambda place: place[0] != socket.AF_INET)


class Resolver:
    """Knows where a host is.

    A name is looked up in a thread of its own: again after growing pauses while that fails or its
    target refuses, and once a minute otherwise. A target that refuses may also listen at another
    address of the name, so these are tried in turn.
    """

    def __init__(self, host_port: HostPort) -> None:
        self._host_port = host_port
        self._closed = threading.Event()
        self._doubted = threading.Event()
        self.place: Optional[Place] = None  # None while it is not known
        self.error = ""  # why
        try:
            self.place = look_up(host_port, socket.AI_NUMERICHOST)[0]
        except OSError:
            name = "edgeface-resolve"
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def doubt(self) -> None:
        """Says that the target refused."""
        self._doubted.set()

    def close(self) -> None:
        """Lets the thread end."""
        self._closed.set()
        self._doubted.set()

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._closed.is_set():
            doubted = self._doubted.is_set()
            self._doubted.clear()
            self._look_up(doubted)
            well = not self.error and not doubted
            pause_s = _FIRST_PAUSE_S if well else min(2 * pause_s, _LONGEST_PAUSE_S)
            self._closed.wait(pause_s)
            if well:
                self._doubted.wait(_AGAIN_S)

    def _look_up(self, doubted: bool) -> None:
        """Finds the place again; another one where there are several and this one is in doubt."""
        try:
            places = look_up(self._host_port)
        except OSError as error:
            if self.place is not None and not self.error:
                _LOG.warning(
                    "%s: %s; frames go on to %s",
                    self._host_port.host,
                    error.strerror or error,
                    self.place[1][0],
                    extra={"event": "target_unresolved"},
                )
            self.error = f"{self._host_port.host}: {error.strerror or error}"
            return
        self.error = ""
        if self.place not in places:
            self.place = places[0]
        elif doubted:
            self.place = places[(places.index(self.place) + 1) % len(places)]
