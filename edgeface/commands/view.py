"""`edgeface view`: the page that shows the face."""

import argparse
import signal
import sys

from ..build import load_model
from ..core.errors import UsageError
from ..shm.layout import segment_path
from ..view.server import Server

EXAMPLE = """example:
  edgeface view        then open http://127.0.0.1:8068/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument(
        "--shm", metavar="NAME", default="edgeface", help="name of the shared memory"
    )
    parser.add_argument("--port", type=int, default=8068, help="on 127.0.0.1; 0: any that is free")


def execute(options: argparse.Namespace) -> None:
    """Runs the verb until SIGTERM or Ctrl-C."""
    try:
        segment_path(options.shm)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port}: out of range; 0 to 65535")
    server = Server(options.port, options.shm, load_model("").neutral)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"edgeface: the face is at {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
