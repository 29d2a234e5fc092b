"""Load, memory, temperatures and throttling of the machine, from /proc and /sys."""

import glob
import os
from typing import Dict, Optional, Tuple

_COOLING_KINDS = ("throttl", "cpufreq", "devfreq", "processor", "gpu")
_OFF_MILLICELSIUS = -200000  # a zone that is switched off reads -256000


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return ""


class System:
    """Reads what the kernel knows; None for what it does not.

    :param root: folder instead of /
    """

    def __init__(self, root: str = "/"):
        self._root = root
        self._last: Optional[Tuple[int, int]] = None  # ticks: all, idle

    def cpu_percent(self) -> Optional[float]:
        """Load of all cores since the last call, 0..100; None at first."""
        fields = _read(os.path.join(self._root, "proc/stat")).split("\n")[0].split()[1:9]
        if len(fields) < 5 or not all(field.isdigit() for field in fields):
            return None
        ticks = [int(field) for field in fields]
        total = sum(ticks)
        idle = ticks[3] + ticks[4]
        last = self._last
        self._last = (total, idle)
        if last is None or total <= last[0]:
            return None
        idle_share = (idle - last[1]) / (total - last[0])
        return round(100.0 * (1 - idle_share), 1)

    def memory_mb(self) -> Optional[int]:
        """Memory in use, MB."""
        values = {}
        for line in _read(os.path.join(self._root, "proc/meminfo")).split("\n"):
            name, _, value = line.partition(":")
            if value.strip().endswith("kB") and value.split()[0].isdigit():
                values[name] = int(value.split()[0]) / 1024
        if "MemTotal" not in values or "MemAvailable" not in values:
            return None
        return round(values["MemTotal"] - values["MemAvailable"])

    def own_memory_mb(self) -> Optional[float]:
        """Resident memory of this process, MB."""
        fields = _read(os.path.join(self._root, "proc/self/statm")).split()
        if len(fields) < 2 or not fields[1].isdigit():
            return None
        return round(int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)

    def temperatures_c(self) -> Dict[str, Optional[float]]:
        """Degrees per thermal zone; None for a zone that is off."""
        zones: Dict[str, Optional[float]] = {}
        folders = os.path.join(self._root, "sys/class/thermal/thermal_zone*")
        for folder in sorted(glob.glob(folders)):
            name = _read(f"{folder}/type").strip()
            value = _read(f"{folder}/temp").strip()
            if name:
                known = value.lstrip("-").isdigit() and int(value) > _OFF_MILLICELSIUS
                zones[name] = int(value) / 1000.0 if known else None
        return zones

    def throttled(self) -> Optional[bool]:
        """Whether a cooling device slows a processor down; None where there is none."""
        states = []
        for folder in glob.glob(os.path.join(self._root, "sys/class/thermal/cooling_device*")):
            kind = _read(f"{folder}/type").strip().lower()
            state = _read(f"{folder}/cur_state").strip()
            if state.isdigit() and any(word in kind for word in _COOLING_KINDS):
                states.append(int(state) > 0)
        return any(states) if states else None
