"""Load, memory, temperatures and throttling of the machine, from /proc and /sys."""

import glob
import os


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return ""


class System:
    """Reads what the kernel tells; None for what it does not.

    :param root: folder instead of /
    """

    def __init__(self, root="/"):
        self._root = root
        self._last = None

    def cpu_percent(self):
        """Load of all cores since the last call, 0..100; None at first."""
        fields = _read(os.path.join(self._root, "proc/stat")).split("\n")[0].split()[1:9]
        if len(fields) < 5 or not all(field.isdigit() for field in fields):
            return None
        ticks = [int(field) for field in fields]
        now = (sum(ticks), ticks[3] + ticks[4])  # all, idle
        last, self._last = self._last, now
        if last is None or now[0] <= last[0]:
            return None
        return round(100.0 * (1 - (now[1] - last[1]) / (now[0] - last[0])), 1)

    def memory_mb(self):
        """Memory in use, MB."""
        values = {}
        for line in _read(os.path.join(self._root, "proc/meminfo")).split("\n"):
            name, _, value = line.partition(":")
            if value.strip().endswith("kB") and value.split()[0].isdigit():
                values[name] = int(value.split()[0]) / 1024
        if "MemTotal" not in values or "MemAvailable" not in values:
            return None
        return round(values["MemTotal"] - values["MemAvailable"])

    def own_memory_mb(self):
        """Resident memory of this process, MB."""
        fields = _read(os.path.join(self._root, "proc/self/statm")).split()
        if len(fields) < 2 or not fields[1].isdigit():
            return None
        return round(int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)

    def temperatures_c(self):
        """Thermal zones, name to degrees; None for a zone that is off."""
        zones = {}
        for folder in sorted(
            glob.glob(os.path.join(self._root, "sys/class/thermal/thermal_zone*"))
        ):
            name, value = _read(f"{folder}/type").strip(), _read(f"{folder}/temp").strip()
            if name:
                known = value.lstrip("-").isdigit() and int(value) > -200000
                zones[name] = int(value) / 1000.0 if known else None
        return zones

    def throttled(self):
        """Whether a cooling device holds the processor back; None where there is none."""
        states = []
        for folder in glob.glob(os.path.join(self._root, "sys/class/thermal/cooling_device*")):
            kind, state = (
                _read(f"{folder}/type").strip().lower(),
                _read(f"{folder}/cur_state").strip(),
            )
            if state.isdigit() and any(
                word in kind for word in ("throttl", "cpufreq", "devfreq", "processor", "gpu")
            ):
                states.append(int(state) > 0)
        return any(states) if states else None
