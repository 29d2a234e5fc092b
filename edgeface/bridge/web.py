"""`edgeface bridge web`: frames for pages of the user's own."""

import argparse
from typing import Tuple

from ..core.errors import UnavailableError, UsageError
from ..web.access import Access
from ..web.server import Server

EXAMPLE = """examples:
  edgeface bridge web                                       pages of this machine read http://127.0.0.1:8069/frames
  edgeface bridge web --listen 0.0.0.0:8069 --allow-origin https://example.org"""

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


def execute(options: argparse.Namespace, shm: str) -> None:
    """Serves frames until SIGTERM or Ctrl-C.

    :param options: those of `add_arguments`
    :param shm: name of the segment
    :raises UsageError: an option is none
    :raises UnavailableError: the address or the port cannot be had
    """
    host, port = _address(options.listen)
    try:
        access = Access(host, options.allow_origin)
    except ValueError as error:
        raise UsageError(f"--allow-origin {error}") from None
    try:
        server = Server(host, port, shm, access)
    except OSError as error:
        raise UnavailableError(
            f"--listen {options.listen}: {error.strerror}; choose another address or port"
        ) from None
    print(f"edgeface: the frames are at {server.url}frames", flush=True)
    server.serve_until_stopped()


def _address(text: str) -> Tuple[str, int]:
    """Host and port of `HOST:PORT`; the host of `[::1]:8069` is `::1`."""
    host, _, port = text.rpartition(":")
    bare = host.strip("[]")
    if not bare or (":" in bare) != host.startswith("[") or not port.isdecimal():
        raise UsageError(f"--listen {text}: not ADDRESS:PORT; write it like {_DEFAULT}")
    if int(port) > 65535:
        raise UsageError(f"--listen {text}: the port is out of range; 0 to 65535")
    return bare, int(port)
