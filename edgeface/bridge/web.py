"""`edgeface bridge web`: frames for pages of the user's own."""

import argparse
import os
from typing import Callable, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import SECOND_NS
from ..telemetry.bridges import BridgeReport
from ..web.access import Access
from ..web.server import Server
from .bridge import Bridge
from .place import HostPort, parse_host_port

_PORT = 8069


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this kind."""
    parser.add_argument(
        "--listen",
        metavar="ADDRESS[:PORT]",
        default="127.0.0.1",
        help="where pages find the frames; 0.0.0.0 is every address of this machine;"
        f" port {_PORT} unless another is given",
    )
    parser.add_argument(
        "--allow-origin",
        metavar="ORIGIN",
        action="append",
        default=argparse.SUPPRESS,  # or `--help` shows an empty list
        help="pages from there may read frames, too, such as https://example.org; repeatable",
    )


def place(options: argparse.Namespace) -> HostPort:
    """Where to listen.

    :param options: those of `add_arguments`
    :raises UsageError: that is no address and port
    """
    return parse_host_port(options.listen, _PORT)


class Web(Bridge):
    """A server of frames.

    :param options: those of `add_arguments`
    :param shm: name of the segment
    :raises ValueError: what an origin is that no browser sends
    :raises UsageError: the address is none
    :raises UnavailableError: the address or the port cannot be had
    """

    def __init__(self, options: argparse.Namespace, shm: str) -> None:
        listen = place(options)
        access = Access(listen.host, getattr(options, "allow_origin", ()))
        try:
            self._server = Server(listen.host, listen.port, shm, access)
        except OSError as error:
            raise UnavailableError(
                f"--listen {listen}: {error.strerror}; choose another address or port"
            ) from None
        self.name = f"web {self._server.url}frames"

    def run(self, stopped: Callable[[], bool], worked: Callable[[], object]) -> None:
        """Serves frames until it is stopped."""
        self._server.serve_until(stopped, worked)

    def report(self) -> BridgeReport:
        """Events and clients count as packets and targets."""
        sums = self._server.counts.sums
        return BridgeReport(
            name=self.name,
            pid=os.getpid(),
            targets=self._server.frames.clients,
            packets=sums.events,
            bytes=sums.bytes,
            refused=sums.refused,
            error=sums.error,
            packet_age_s=_age_s(sums.sent_ns),
            refused_age_s=_age_s(sums.refused_ns),
            skipped=sums.skipped,
        )


def _age_s(then_ns: Optional[int]) -> Optional[float]:
    return None if then_ns is None else round((monotonic_ns() - then_ns) / SECOND_NS, 3)
