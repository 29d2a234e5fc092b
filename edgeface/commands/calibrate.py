"""`edgeface calibrate`: a page that fits the motion to an avatar."""

import argparse
import os
import webbrowser

from ..config import Settings
from ..core.errors import UsageError
from ..core.resources import BUNDLED_VOICE
from ..view.calibrator import Calibrator
from ..view.rehearsal import Rehearsal
from .common import add_config_argument, configured, print_progress

EXAMPLE = """examples:
  edgeface calibrate                             of the installed configuration
  edgeface calibrate --config edgeface.yaml      of another, which may be a new file

Opens a page with sliders and a sentence, and saves `motion.strength` and `motion.shapes`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    add_config_argument(parser)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: any that is free")


def execute(options: argparse.Namespace) -> None:
    """Runs the verb until SIGTERM or Ctrl-C."""
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port}: out of range; 0 to 65535")
    new = options.config and not os.path.lexists(options.config)
    settings = Settings() if new else configured(options)
    print_progress("edgeface: computing the sentence")
    rehearsal = Rehearsal(BUNDLED_VOICE, settings)
    path = os.path.abspath(options.config) if options.config else ""
    server = Calibrator(options.port, rehearsal, settings.motion, path)
    print(f"edgeface: the page is at {server.url}", flush=True)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(server.url)
    server.serve_until_stopped()
