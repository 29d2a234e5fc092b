"""Bridges: the configured ones, and those that run."""

from typing import Iterator

from ..bridge import kinds
from ..bridge.command_line import parse
from ..config import Settings
from ..core.errors import UsageError
from ..telemetry.bridges import BridgeReport, read_reports
from .finding import BAD, OK, WARN, Finding

_RECENT_S = 60.0


def configured(settings: Settings) -> Iterator[Finding]:
    """That the configured bridges are valid."""
    for name, bridge in settings.bridges:
        try:
            yield Finding(f"bridges.{name}", OK, kinds.check(parse(bridge.command)))
        except UsageError as error:
            fix = f"correct bridges.{name}.command; see `edgeface bridge --help`"
            yield Finding(f"bridges.{name}", BAD, str(error), fix)


def running(_settings: Settings) -> Iterator[Finding]:
    """What the bridges that run have sent."""
    for report in read_reports():
        yield _finding(report)


def _finding(report: BridgeReport) -> Finding:
    found = f"{report.name}: {report.packets} packets, {report.refused} refused"
    if report.refused_age_s is not None and report.refused_age_s < _RECENT_S:
        fix = "start the receiver, and check the target's name, address and port"
        return Finding("bridge", WARN, f"{found}; {report.error}", fix)
    if report.targets == 0:
        return Finding("bridge", OK, f"{found}; no client has asked for frames")
    return Finding("bridge", OK, found)
