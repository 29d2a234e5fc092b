"""`edgeface doctor`: what works here and what does not, each with its fix."""

import argparse
import json
from typing import Iterator

from ..core.errors import UsageError
from ..doctor.examine import examine
from ..doctor.finding import BAD, OK, Finding

EXAMPLE = """examples:
  edgeface doctor
  edgeface doctor --json > report.json     to attach to a bug report
  edgeface doctor avatar head.glb          what the page finds in a GLB or VRM file
The exit code is 69 when something is bad."""

_UNAVAILABLE = 69


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument(
        "subject",
        metavar="avatar FILE",
        nargs="*",
        help="examine a GLB or VRM file, instead of this machine",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="configuration file; else the installed one"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def execute(options: argparse.Namespace) -> int:
    """Runs the verb; 69 when something is bad."""
    findings = []
    for finding in _examined(options):
        findings.append(finding)
        if not options.json:
            _print(finding)
    if options.json:
        print(json.dumps({"findings": [finding._asdict() for finding in findings]}, indent=1))
    return _UNAVAILABLE if any(finding.state == BAD for finding in findings) else 0


def _examined(options: argparse.Namespace) -> Iterator[Finding]:
    if not options.subject:
        return examine(options.config)
    if len(options.subject) != 2 or options.subject[0] != "avatar":
        raise UsageError(f"{' '.join(options.subject)}: nothing to examine; write avatar FILE")
    from ..doctor.avatar import examine_avatar

    return examine_avatar(options.subject[1])


def _print(finding: Finding) -> None:
    print(f"{finding.state:4}  {finding.check:16} {finding.found}", flush=True)
    if finding.state != OK and finding.fix:
        print(f"      {'':16} -> {finding.fix}", flush=True)
