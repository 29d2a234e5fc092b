"""`edgeface view`: the page that shows the face."""

import argparse
from typing import Tuple

from ..build import load_model
from ..core.errors import EdgefaceError, UsageError
from ..view.avatar import read_avatar
from ..view.looks import CHOSEN, DRAWN, LOOKS, OFFERED, head_of
from ..view.packages import check_packages, has_packages
from ..view.server import PageServer
from ..view.staging import read_staging
from ..web.http import hang_up_on_waiting
from .common import add_segment_arguments, segment_name

EXAMPLE = """examples:
  edgeface view        then open http://127.0.0.1:8068/
  edgeface view --look otto                   another head; --look drawn: the drawn face
  edgeface view --avatar head.glb             three-dimensional, by three.js
  xdg-open 'http://127.0.0.1:8068/?kiosk'     as the kiosk shows it
What is in an avatar, and what it lacks: edgeface doctor avatar head.glb"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    add_segment_arguments(parser)
    parser.add_argument("--port", type=int, default=8068, help="on 127.0.0.1; 0: any that is free")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--avatar", metavar="FILE", help="a GLB or VRM file to show")
    which.add_argument(
        "--look",
        choices=[*LOOKS, DRAWN],
        help=f"a head of edgeface's own, or its drawn face; default: {LOOKS[0]} where three.js is"
        " installed and the browser draws it fast enough",
    )


def execute(options: argparse.Namespace) -> None:
    """Runs the verb until SIGTERM or Ctrl-C."""
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port}: out of range; 0 to 65535")
    try:
        avatar, own = _chosen(options)
        if avatar:
            read_avatar(avatar)
            read_staging(avatar)
            check_packages()
        neutral = load_model("").neutral
        server = PageServer(options.port, segment_name(options), neutral, avatar, own)
    except EdgefaceError:
        hang_up_on_waiting()
        raise
    print(f"edgeface: the face is at {server.url}", flush=True)
    server.serve_until_stopped()


def _chosen(options: argparse.Namespace) -> Tuple[str, str]:
    """The avatar's path, "" for the drawn face, and whether it is edgeface's own."""
    if options.avatar or options.look == DRAWN:
        return options.avatar or "", ""
    if options.look:
        return head_of(options.look), CHOSEN
    return (head_of(LOOKS[0]), OFFERED) if has_packages() else ("", "")
