"""`edgeface top`: live figures, from shared memory and the newest line of the log."""

import argparse
import sys
import time
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ..config import Settings
from ..core.clock import boot_id, monotonic_ns, since_boot_s
from ..core.rates import MS_NS, SECOND_NS
from ..shm.layout import state_name
from ..shm.reader import Reader, ReadFrame
from ..telemetry.bridges import BridgeReport, read_reports
from ..telemetry.log import newest_object
from ..telemetry.numbers import fields, number, text
from ..telemetry.power import NoPower
from .common import add_segment_arguments, configured, valid_segment

EXAMPLE = """example:
  edgeface top --log /var/log/edgeface"""

_PERIOD_S = 1.0
_CLEAR_SCREEN = "\x1b[H\x1b[J"
_Header = Dict[str, int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    add_segment_arguments(parser)
    parser.add_argument("--log", metavar="DIR", help="folder of the log instead of the configured")
    parser.add_argument(
        "-n", metavar="N", type=int, default=0, help="end after N screens; 0: never"
    )


def execute(options: argparse.Namespace) -> None:
    """Runs the verb."""
    settings = Settings()
    if options.shm is None or options.log is None:
        settings = configured(options)
    name = valid_segment(options.shm or settings.output.shm)
    log = options.log or settings.telemetry.log
    rate = _Rate()
    clear = _CLEAR_SCREEN if sys.stdout.isatty() else ""
    count = 0
    with Reader(name) as reader:
        while True:
            header = reader.header()
            logged = newest_object(log) if log else None
            shown = screen(header, reader.read(), rate.fps(header), logged, read_reports())
            sys.stdout.write(f"{clear}{shown}\n")
            sys.stdout.flush()
            count += 1
            if count == options.n:
                return
            time.sleep(_PERIOD_S)


class _Rate:
    """Frames per second between two looks at the same writer."""

    def __init__(self) -> None:
        self._before: Optional[Tuple[int, _Header]] = None

    def fps(self, header: Optional[_Header]) -> Optional[float]:
        now = monotonic_ns()
        before = self._before
        self._before = (now, header) if header else None
        if header is None or before is None or now <= before[0]:
            return None
        if header["instance_id"] != before[1]["instance_id"]:
            return None
        return (header["latest"] - before[1]["latest"]) * SECOND_NS / (now - before[0])


def screen(
    header: Optional[_Header],
    frame: Optional[ReadFrame],
    fps: Optional[float],
    logged: Optional[Dict[str, Any]],
    bridges: Iterable[BridgeReport] = (),
) -> str:
    """One screen; every part may be missing.

    :param header: live part of the segment's header
    :param logged: newest object of the log
    """
    lines = _live_lines(header, frame, fps)
    lines += [_bridge_line(report) for report in bridges]
    if logged is None:
        lines.append("no telemetry log; set telemetry.log in the configuration")
    else:
        lines.append("")
        lines += _logged_lines(logged)
    return "\n".join(lines)


def _live_lines(
    header: Optional[_Header], frame: Optional[ReadFrame], fps: Optional[float]
) -> List[str]:
    if header is None:
        return ["no writer; start `edgeface run`"]
    shown_fps = "-" if fps is None else f"{fps:.1f}"
    state = state_name(header["state"])
    lines = [
        f"{state:9} pid {header['pid']}   {shown_fps} fps   frames {header['latest']}",
        f"dropped samples {header['dropped_samples']}"
        f"   source restarts {header['source_restarts']}"
        f"   late frames {header['late_frames']}"
        f"   inference errors {header['inference_errors']}",
    ]
    if frame is not None:
        latency_ms = (frame.publish_ns - frame.audio_ns) / MS_NS
        lines.append(
            f"latency {latency_ms:.0f} ms   level {frame.rms_dbfs:.0f} dBFS"
            f"   F0 {frame.f0_hz:.0f} Hz"
        )
    return lines


def _bridge_line(report: BridgeReport) -> str:
    line = f"{report.name}: packets {report.packets}   {report.bytes / 1e6:.1f} MB"
    if report.packet_age_s is not None:
        line += f"   last {report.packet_age_s:.1f} s ago"
    line += f"   refused {report.refused}"
    if report.skipped:
        line += f"   skipped by slow clients {report.skipped}"
    return f"{line} ({report.error})" if report.error else line


def _logged_lines(logged: Dict[str, Any]) -> List[str]:
    source = text(logged.get("power_source"), NoPower.name)
    power_source = "no power source" if source == NoPower.name else source
    lines = [f"{_when(logged)}, {power_source} on {text(logged.get('host'))}"]
    for stage in sorted(fields(logged, "latency_ms")):
        cells = [
            f"{name} {_cell(number(logged, 'latency_ms', stage, name))}"
            for name in ("p50", "p95", "p99", "max")
        ]
        lines.append(f"  {stage:11} {'  '.join(cells)} ms")
    power_mw = number(logged, "power_total_mw")
    energy_j = number(logged, "energy_j")
    power = "-" if power_mw is None else f"{power_mw / 1000:.2f} W"
    energy = "-" if energy_j is None else f"{energy_j:.0f} J"
    lines.append(
        f"  power {power}   energy {energy}   CPU {_shown(number(logged, 'cpu_percent'))} %"
        f"   memory {_shown(number(logged, 'own_memory_mb'))} MB"
        f"   throttled {_yes_or_no(logged.get('throttled'))}"
    )
    temperatures = [
        f"{name} {_shown(number(logged, 'temperatures_c', name))} C"
        for name in fields(logged, "temperatures_c")
    ]
    if temperatures:
        lines.append(f"  {'   '.join(temperatures)}")
    return lines


def _when(logged: Dict[str, Any]) -> str:
    """When an object was written: how long ago, if that was since the boot."""
    stamp = f"{text(logged.get('time'))} UTC"
    written_s = number(logged, "boot_s")
    if written_s is None or logged.get("boot_id") != boot_id():
        return stamp
    return f"{stamp}, {max(0.0, since_boot_s() - written_s):.0f} s ago"


def _yes_or_no(value: Any) -> str:
    if not isinstance(value, bool):
        return "-"
    return "yes" if value else "no"


def _shown(value: Optional[float]) -> str:
    return "-" if value is None else f"{value:g}"


def _cell(value: Optional[float]) -> str:
    return "       -" if value is None else f"{value:8.2f}"
