"""`edgeface report`: what the telemetry logs tell."""

import os
import sys
import time

from ..core.errors import DataError, MissingInputError, UnavailableError
from ..telemetry.log import read_log
from ..telemetry.page import page
from ..telemetry.report import Figures, parse_since, table

EXAMPLE = """examples:
  edgeface report /var/log/edgeface --since 24h
  edgeface report kiosk1 kiosk2 -o report.html"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument(
        "folders", metavar="DIR", nargs="+", help="folder of logs; one for each machine"
    )
    parser.add_argument("--since", metavar="TIME", help="90m, 24h, 7d, or a date or time in UTC")
    parser.add_argument("-o", "--out", metavar="FILE.html", help="also write a page with plots")


def execute(options):
    """Runs the verb; no log is exit code 66, a log without one good line 65."""
    since_s = parse_since(options.since, time.time()) if options.since else None
    machines = [_figures(folder, since_s) for folder in options.folders]
    sys.stdout.write(f"{table(machines)}\n")
    if options.out:
        try:
            with open(options.out, "w", encoding="utf-8") as file:
                file.write(page(machines))
        except OSError as error:
            raise UnavailableError(
                f"{options.out}: {error.strerror}; choose another place"
            ) from None


def _figures(folder, since_s):
    if not os.path.isdir(folder):
        raise MissingInputError(f"{folder}: no such folder; give the one that telemetry.log names")
    objects, damaged = read_log(folder)
    if since_s is not None:
        objects = [o for o in objects if o["time_s"] >= since_s]
    if not objects:
        raise DataError(
            "{}: no readable line of telemetry{}{}".format(
                folder,
                " since then" if since_s is not None else "",
                "; %d are damaged" % damaged if damaged else "",
            )
        )
    return Figures(objects, damaged)
