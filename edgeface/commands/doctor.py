"""`edgeface doctor`: what works here and what does not, each with the mend."""

import json

from ..doctor.checks import BAD, CONFIG, OK, examine

EXAMPLE = """examples:
  edgeface doctor
  edgeface doctor --json > report.json     to be attached to a bug report
The exit code is 69 when something is bad."""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument("--config", metavar="FILE", default=CONFIG, help="configuration file")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def execute(options):
    """Runs the verb; 69 when something is bad."""
    findings = []
    for finding in examine(options.config):
        findings.append(finding)
        if not options.json:
            print(f"{finding.state:4}  {finding.check:16} {finding.found}", flush=True)
            if finding.state != OK and finding.mend:
                print(f"      {'':16} -> {finding.mend}", flush=True)
    bad = sum(finding.state == BAD for finding in findings)
    if options.json:
        print(json.dumps({"findings": [finding._asdict() for finding in findings]}, indent=1))
    return 69 if bad else 0
