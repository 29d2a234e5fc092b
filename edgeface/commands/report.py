"""`edgeface report`: figures and plots of the telemetry logs."""

import argparse
import os
import sys
import time
from typing import Optional

from ..core.errors import DataError, MissingInputError, UnavailableError, UsageError
from ..core.files import output_file
from ..telemetry.log import read_log
from ..telemetry.reckoning import reckoned
from ..telemetry.report import Figures, parse_since, table
from ..telemetry.report_page import report_page
from .common import add_config_argument, configured

EXAMPLE = """examples:
  edgeface report /var/log/edgeface --since 24h
  edgeface report kiosk1 kiosk2 -o report.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument(
        "folders",
        metavar="DIR",
        nargs="*",
        help="folder of logs, one for each machine; otherwise the configured one",
    )
    add_config_argument(parser)
    parser.add_argument("--since", metavar="TIME", help="90m, 24h, 7d, or a date or time in UTC")
    parser.add_argument("-o", "--out", metavar="FILE.html", help="also write a page with plots")


def execute(options: argparse.Namespace) -> None:
    """Runs the verb; no log is exit code 66, a log without a valid line 65."""
    since_s = parse_since(options.since, time.time()) if options.since else None
    folders = options.folders or [configured(options).telemetry.log]
    if folders == [""]:
        raise UsageError("report: no folder of logs is configured (telemetry.log); name one")
    machines = [_figures(folder, since_s) for folder in folders]
    sys.stdout.write(f"{table(machines)}\n")
    if options.out:
        with output_file(options.out, "w", encoding="utf-8") as file:
            file.write(report_page(machines))


def _figures(folder: str, since_s: Optional[float]) -> Figures:
    if not os.path.isdir(folder):
        raise MissingInputError(f"{folder}: not a folder; give the one that telemetry.log names")
    try:
        objects, damaged = read_log(folder)
    except OSError as error:
        raise UnavailableError(
            f"{error.filename}: {error.strerror}; try again as a member of the log's group"
        ) from None
    objects = reckoned(objects)
    if since_s is not None:
        objects = [o for o in objects if o["time_s"] >= since_s]
    if not objects:
        when = "" if since_s is None else " since then"
        damage = f"; {damaged} are damaged" if damaged else ""
        raise DataError(f"{folder}: no readable line of telemetry{when}{damage}")
    return Figures(objects, damaged)
