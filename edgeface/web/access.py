"""Whose requests are answered: this machine's own pages, and those that the user has named."""

import ipaddress
import re
from email.message import Message
from typing import Iterable, Mapping, Union

Headers = Union[Message, Mapping[str, str]]

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(\[[^\[\]]*\]|[^\[\]:/?#@\s]+)(?::\d+)?")
# as browsers send it: no path, and no port where it is the scheme's; `null` is that of a file
_ORIGIN = re.compile(rf"[a-z][a-z0-9+.-]*://({_HOST.pattern})")
_FILE = "null"


class Access:
    """Decides by the headers of a request.

    A page on a foreign name that resolves to this machine ("DNS rebinding") has that name in
    `Host`; other foreign pages are named in `Origin`, or told by `Sec-Fetch-Site` where a browser
    sends no origin. Programs that are no browsers send neither, and may read.

    :param host: where the server listens
    :param origins: of further pages that may read
    :raises ValueError: what an origin is that no browser sends
    """

    def __init__(self, host: str, origins: Iterable[str] = ()) -> None:
        self._origins = {origin.lower() for origin in origins}
        self._hosts = {*_LOCAL_HOSTS, host.lower()}
        for origin in self._origins - {_FILE}:
            match = _ORIGIN.fullmatch(origin)
            if not match:
                raise ValueError(
                    f"--allow-origin {origin}: no origin; write one such as https://example.org"
                )
            self._hosts.add(_host_of(match.group(1)))
        self._reachable = not is_local(host)

    def answers(self, headers: Headers) -> bool:
        """Whether the request means this machine."""
        host = _host_of(headers.get("Host", ""))
        # an address has no name to resolve
        return host in self._hosts or (self._reachable and _is_address(host))

    def lets_read(self, headers: Headers) -> bool:
        """Whether the frames may go to the page that asks; the request means this machine."""
        origin = headers.get("Origin", "").lower()
        if not origin:
            return headers.get("Sec-Fetch-Site") != "cross-site"
        match = _ORIGIN.fullmatch(origin)
        own = origin == f"http://{headers.get('Host', '').lower()}"
        local = match is not None and _host_of(match.group(1)) in _LOCAL_HOSTS
        return own or local or origin in self._origins


def is_local(host: str) -> bool:
    """Whether nothing but this machine reaches a server that listens there."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _host_of(text: str) -> str:
    """The host of `HOST:PORT`, without the brackets of IPv6; empty where it is none."""
    match = _HOST.fullmatch(text.lower())
    return match.group(1).strip("[]") if match else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
