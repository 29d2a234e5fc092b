"""`edgeface view`: the page that shows the face."""

import argparse
from typing import Tuple

from ..build import load_model
from ..core.errors import EdgefaceError, UsageError
from ..view.avatar import Avatar, read_avatar
from ..view.looks import DRAWN, LOOKS, head_of
from ..view.packages import check_packages, has_packages
from ..view.server import PageServer
from ..web.http import hang_up_on_waiting
from .common import add_segment_arguments, segment_name

EXAMPLE = """examples:
  edgeface view        then open http://127.0.0.1:8068/
  edgeface view --look otto                   another head; --look drawn: the drawn face
  edgeface view --avatar head.glb             three-dimensional, by three.js
  edgeface view --avatar head.vrm --check     what the page finds in it"""


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
    parser.add_argument(
        "--check", action="store_true", help="print what the avatar's face can do, and end"
    )


def execute(options: argparse.Namespace) -> None:
    """Runs the verb until SIGTERM or Ctrl-C."""
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port}: out of range; 0 to 65535")
    if options.check and not options.avatar:
        raise UsageError("--check: of which file? add --avatar FILE")
    if options.check:
        _print(read_avatar(options.avatar))
        return
    try:
        avatar, own = _chosen(options)
        if avatar:
            read_avatar(avatar)
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
        return head_of(options.look), "chosen"
    return (head_of(LOOKS[0]), "offered") if has_packages() else ("", "")


def _print(avatar: Avatar) -> None:
    shapes, missing = avatar.shapes, avatar.missing
    print(f"{avatar.kind}; {len(shapes)} of {len(shapes) + len(missing)} shapes")
    if missing and shapes:
        print(f"missing: {', '.join(missing)}")
    if avatar.speaks_by_vowels:
        print(f"speaks with VRM's expressions: {', '.join(avatar.vowels)}")
    whole = [] if "head" in avatar.parts else ["everything, as it has no bone of the head"]
    print(f"turns: {', '.join([*whole, *avatar.parts])}")
