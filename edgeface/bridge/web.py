"""`edgeface bridge web`: frames for pages of the user's own."""

import argparse
import os
from typing import Callable, Tuple

from ..core.errors import UnavailableError, UsageError
from ..telemetry.bridges import BridgeReport
from ..web.access import Access
from ..web.server import Server
from .bridge import Bridge
from .place import HostPort

_DEFAULT = "127.0.0.1:8069"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this kind."""
    parser.add_argument(
        "--listen",
        metavar="ADDRESS:PORT",
        default=_DEFAULT,
        help="where pages find the frames; 0.0.0.0 and [::] are all of the machine's addresses",
    )
    parser.add_argument(
        "--allow-origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="pages from there may read frames, too, such as https://example.org; repeatable",
    )


def place(options: argparse.Namespace) -> HostPort:
    """Where to listen.

    :param options: those of `add_arguments`
    :raises UsageError: that is no address and port
    """
    host, port = _address(options.listen)
    return HostPort(host, port)


class Web(Bridge):
    """A server of frames.

    :param options: those of `add_arguments`
    :param shm: name of the segment
    :raises UsageError: an option is none
    :raises UnavailableError: the address or the port cannot be had
    """

    def __init__(self, options: argparse.Namespace, shm: str) -> None:
        host, port = place(options)
        try:
            access = Access(host, options.allow_origin)
        except ValueError as error:
            raise UsageError(f"--allow-origin {error}") from None
        try:
            self._server = Server(host, port, shm, access)
        except OSError as error:
            raise UnavailableError(
                f"--listen {options.listen}: {error.strerror}; choose another address or port"
            ) from None
        self.name = f"web {self._server.url}frames"

    def run(self, stopped: Callable[[], bool], worked: Callable[[], object]) -> None:
        """Serves frames until it is stopped."""
        self._server.serve_until(stopped, worked)

    def report(self) -> BridgeReport:
        """Events and clients count as packets and targets."""
        counts = self._server.counts.values()
        return BridgeReport(
            name=self.name,
            pid=os.getpid(),
            targets=self._server.frames.clients,
            packets=counts["events"],
            bytes=counts["bytes"],
            refused=counts["refused"],
            error="",
            packet_age_s=None,
            refused_age_s=None,
        )


def _address(text: str) -> Tuple[str, int]:
    """Host and port of `HOST:PORT`; the host of `[::1]:8069` is `::1`."""
    host, _, port = text.rpartition(":")
    bare = host.strip("[]")
    if not bare or (":" in bare) != host.startswith("[") or not port.isdecimal():
        raise UsageError(f"--listen {text}: not ADDRESS:PORT; write it like {_DEFAULT}")
    if int(port) > 65535:
        raise UsageError(f"--listen {text}: the port is out of range; 0 to 65535")
    return bare, int(port)
