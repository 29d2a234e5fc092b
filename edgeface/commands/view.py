"""`edgeface view`: the page that shows the face."""

import argparse

from ..build import load_model
from ..core.errors import EdgefaceError, UsageError
from ..view.server import PageServer
from ..web.server import hang_up_on_waiting
from .common import add_segment_arguments, segment_name

EXAMPLE = """example:
  edgeface view        then open http://127.0.0.1:8068/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    add_segment_arguments(parser)
    parser.add_argument("--port", type=int, default=8068, help="on 127.0.0.1; 0: any that is free")


def execute(options: argparse.Namespace) -> None:
    """Runs the verb until SIGTERM or Ctrl-C."""
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port}: out of range; 0 to 65535")
    try:
        server = PageServer(options.port, segment_name(options), load_model("").neutral)
    except EdgefaceError:
        hang_up_on_waiting()
        raise
    print(f"edgeface: the face is at {server.url}", flush=True)
    server.serve_until_stopped()
