"""Board and power sensor."""

from typing import TYPE_CHECKING, Iterator

from ..core.board import this_board
from ..telemetry.power import NoPower, find_power_source, first_reading
from .finding import OK, WARN, Finding

if TYPE_CHECKING:  # it needs PyYAML, which may be what is broken
    from ..config import Settings

_READING_S = 3.0  # how long a sensor may take to its first value


def board() -> Iterator[Finding]:
    """Which Jetson this is, if it is one, and whether it has swap for building engines."""
    found = this_board()
    if not (found.name or found.l4t):
        return
    yield Finding(
        "board",
        OK,
        f"{found.model}, L4T {found.l4t or '?'}, JetPack {found.jetpack or '?'},"
        f" TensorRT {found.tensorrt or 'none'}",
    )
    if not _swap_kb():
        fix = "zram (nvzramconfig) or a swap file, before engines are built"
        yield Finding("swap", WARN, "none", fix)


def _swap_kb() -> int:
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("SwapTotal"):
                return int(line.split()[1])
    return 0


def power(_settings: "Settings") -> Iterator[Finding]:
    """Where power readings come from, and whether there are any."""
    source = find_power_source()
    try:
        if isinstance(source, NoPower):
            yield Finding("power", OK, "no sensor: null in the log")
            return
        reading = first_reading(source, _READING_S)
        if reading.total_mw is not None:
            yield Finding("power", OK, f"{source.name}: {reading.total_mw / 1000:.1f} W")
            return
        known = [name for name, value in reading.power_mw.items() if value is not None]
        missing = [name for name, value in reading.power_mw.items() if value is None]
        found = f"{source.name}: no total"
        found += f", {', '.join(missing)} unknown" if missing else ""
        found += f"; only {', '.join(known)}" if known else ""
        yield Finding("power", WARN, found, "none: power is null in the log")
    finally:
        source.close()
