"""`edgeface top`: live figures, from shared memory and the newest line of the log."""

import os
import sys
import time

from ..core.clock import monotonic_ns
from ..core.errors import UsageError
from ..shm.layout import STATE_NAMES
from ..shm.reader import Reader
from ..telemetry.log import newest_object
from ..telemetry.report import fields, number

EXAMPLE = """example:
  edgeface top --log /var/log/edgeface"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument(
        "--shm", metavar="NAME", default="edgeface", help="name of the shared memory"
    )
    parser.add_argument(
        "--log", metavar="DIR", default="/var/log/edgeface", help="folder of the log"
    )
    parser.add_argument(
        "-n", metavar="N", type=int, default=0, help="end after N screens; 0: never"
    )


def execute(options):
    """Runs the verb."""
    try:
        reader = Reader(options.shm)
    except ValueError as error:
        raise UsageError(str(error)) from None
    count, before = 0, None
    clear = "\x1b[H\x1b[J" if sys.stdout.isatty() else ""
    with reader:
        while True:
            header, now = reader.header(), monotonic_ns()
            fps = None
            if header and before and before[1] == header["instance_id"] and now > before[0]:
                fps = (header["latest"] - before[2]) * 1e9 / (now - before[0])
            before = (now, header["instance_id"], header["latest"]) if header else None
            sys.stdout.write(
                f"{clear}{screen(header, reader.read(), fps, newest_object(options.log))}\n"
            )
            sys.stdout.flush()
            count += 1
            if count == options.n:
                return
            time.sleep(1.0)


def screen(header, frame, fps, logged):
    """One screen, str; every part may be None."""
    lines = []
    if header is None:
        lines.append("no writer; start `edgeface run`")
    else:
        lines.append(
            f"{STATE_NAMES[header['state']]:9} pid {header['pid']}   {('-' if fps is None else f'{fps:.1f}')} fps   frames {header['latest']}"
        )
        lines.append(
            "dropped samples %d   source restarts %d   late frames %d   inference errors %d"
            % tuple(
                header[name]
                for name in (
                    "dropped_samples",
                    "source_restarts",
                    "late_frames",
                    "inference_errors",
                )
            )
        )
        if frame is not None:
            lines.append(
                f"latency {(frame.publish_ns - frame.audio_ns) / 1e6:.0f} ms   level {frame.rms_dbfs:.0f} dBFS   F0 {frame.f0_hz:.0f} Hz"
            )
    if logged is None:
        lines.append("no telemetry log; set telemetry.log in the configuration")
        return "\n".join(lines)
    lines.append("")
    lines.append(
        f"{logged.get('time', '?')} UTC, {logged.get('power_source') or 'no power source'} on {os.path.basename(str(logged.get('host', '?')))}"
    )
    for stage in sorted(fields(logged, "latency_ms")):
        known = [number(logged, "latency_ms", stage, name) for name in ("p50", "p95", "p99", "max")]
        lines.append(
            "  %-11s p50 %s  p95 %s  p99 %s  max %s ms"
            % (
                (stage,)
                + tuple("       -" if value is None else f"{value:8.2f}" for value in known)
            )
        )
    power = number(logged, "power_total_mw")
    lines.append(
        "  power {}   energy {}   CPU {} %   memory {} MB   throttled {}".format(
            "-" if power is None else f"{power / 1000:.2f} W",
            "-"
            if number(logged, "energy_j") is None
            else "{:.0f} J".format(number(logged, "energy_j")),
            logged.get("cpu_percent", "-"),
            logged.get("own_memory_mb", "-"),
            logged.get("throttled"),
        )
    )
    heat = [
        f"{name} {number(logged, 'temperatures_c', name)} C"
        for name in fields(logged, "temperatures_c")
    ]
    if heat:
        lines.append(f"  {'   '.join(heat)}")
    return "\n".join(lines)
