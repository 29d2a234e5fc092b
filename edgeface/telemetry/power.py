"""Where power readings come from: the first source that works, or none.

Every source reads files or a child process below a root folder that tests may
replace, and raises OSError or ValueError when it does not work (any more).
"""

import glob
import os
import shutil
import subprocess
import time
from typing import Dict, NamedTuple, Optional

from .child import TegrastatsChild
from .tegrastats import NOT_CONNECTED, total_mw


class Reading(NamedTuple):
    """Power per rail and of the whole, mW; what else the source knows. None: not known."""

    power_mw: Dict[str, Optional[float]]
    total_mw: Optional[float]
    temperatures_c: Dict[str, Optional[float]] = {}
    gpu_percent: Optional[int] = None


def _text(path):
    with open(path) as file:
        return file.read().strip()


def _number(path):
    """A whole number in a file; None when the sensor refuses to tell."""
    try:
        return int(_text(path))
    except (OSError, ValueError):
        return None


class PowerSource:
    """What all sources have; `read` returns a `Reading`."""

    name = "none"

    def close(self):
        """Frees what the source holds."""

    def notes(self):
        """Counts that tell an operator about the source's health, names to ints."""
        return {}


class Ina3221(PowerSource):
    """The Jetsons' power monitor through sysfs: `iio` up to JetPack 4, `hwmon` since."""

    name = "ina3221"

    def __init__(self, root="/"):
        drivers = os.path.join(root, "sys/bus/i2c/drivers")
        # [(rail, file of mW)] and [(rail, file of mV, file of mA)]
        self._powers = [
            (_text(path.replace("in_power", "rail_name_").replace("_input", "")), path)
            for path in sorted(glob.glob(f"{drivers}/ina3221x/*/iio:device*/in_power[0-9]_input"))
        ]
        self._products = []
        for label in sorted(glob.glob(f"{drivers}/ina3221/*/hwmon/hwmon*/in[0-9]_label")):
            folder, name = os.path.split(label)
            current = os.path.join(folder, name.replace("in", "curr").replace("_label", "_input"))
            if os.path.exists(current):  # the sum of shunt voltages has none
                self._products.append((_text(label), label.replace("_label", "_input"), current))
        self._powers = [rail for rail in self._powers if rail[0] != NOT_CONNECTED]
        self._products = [rail for rail in self._products if rail[0] != NOT_CONNECTED]
        if not self._powers and not self._products:
            raise OSError(f"no INA3221 below {drivers}")

    def read(self):
        """A `Reading`; OSError when no rail answers any more."""
        power = {rail: _number(path) for rail, path in self._powers}
        for rail, volts, amperes in self._products:
            millivolt, milliampere = _number(volts), _number(amperes)
            known = millivolt is not None and milliampere is not None
            power[rail] = millivolt * milliampere / 1000.0 if known else None
        if all(value is None for value in power.values()):
            raise OSError("the INA3221 does not answer")
        return Reading(power, total_mw(power))


class Tegrastats(PowerSource):
    """tegrastats as a child process."""

    name = "tegrastats"

    def __init__(self, command=None):
        command = command or shutil.which("tegrastats")
        if not command:
            raise OSError("no tegrastats here")
        self._child = TegrastatsChild(
            [command, "--interval", "1000"] if isinstance(command, str) else command
        )

    def read(self):
        """A `Reading`; everything None while no line comes."""
        values = self._child.latest()
        if values is None:
            return Reading({}, None)
        return Reading(
            dict(values.power_mw),
            total_mw(values.power_mw),
            values.temperatures_c,
            values.gpu_percent,
        )

    def close(self):
        """Ends the child, and no other tegrastats."""
        self._child.close()

    def notes(self):
        """Restarts of the child, and words of its lines that were not understood."""
        return {"restarts": self._child.restarts, "unknown_tokens": self._child.unknown_tokens}


class Rapl(PowerSource):
    """Energy counters of x86 processors: packages, and memory where it is counted apart."""

    name = "rapl"

    def __init__(self, root="/", clock=time.monotonic):
        self._clock = clock
        self._zones = []  # (name, file of uJ, where it wraps)
        for folder in sorted(glob.glob(os.path.join(root, "sys/class/powercap/intel-rapl:*"))):
            name = _text(f"{folder}/name")
            if name.startswith("package") or name == "dram":
                self._zones.append(
                    (name, f"{folder}/energy_uj", _number(f"{folder}/max_energy_range_uj") or 0)
                )
        if not self._zones or all(_number(path) is None for _, path, _ in self._zones):
            raise OSError("no energy counters that this user may read")
        self._last = None

    def read(self):
        """A `Reading` of the mean power since the last one; the first is None."""
        now, counts = self._clock(), [_number(path) for _, path, _ in self._zones]
        if all(count is None for count in counts):
            raise OSError("the energy counters do not answer")
        power = {name: None for name, _, _ in self._zones}
        if self._last is not None and now > self._last[0]:
            for (name, _, wrap), count, before in zip(self._zones, counts, self._last[1]):
                if count is not None and before is not None:
                    used = count - before if count >= before else count - before + wrap
                    power[name] = used / 1000.0 / (now - self._last[0])
        self._last = (now, counts)
        return Reading(power, total_mw(power))


class NvidiaSmi(PowerSource):
    """A discrete NVIDIA GPU through nvidia-smi; its power only, not the machine's."""

    name = "nvidia-smi"
    _QUERY = [
        "--query-gpu=power.draw,temperature.gpu,utilization.gpu",
        "--format=csv,noheader,nounits",
    ]

    def __init__(self, command=None):
        self._command = command or shutil.which("nvidia-smi")
        if not self._command:
            raise OSError("no nvidia-smi here")
        self.read()

    def read(self):
        """A `Reading`; OSError when nvidia-smi fails or takes more than two seconds."""
        try:
            out = subprocess.run(
                [self._command] + self._QUERY,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=2.0,
                check=True,
            ).stdout.decode("ascii", "replace")
        except subprocess.SubprocessError as error:
            raise OSError(f"nvidia-smi: {error}") from None
        power, temperatures, loads = {}, {}, []
        for number, line in enumerate(out.splitlines()[:16]):
            watts, celsius, load = ([_float(cell) for cell in line.split(",")] + [None] * 3)[:3]
            power[f"GPU{number}"] = None if watts is None else 1000.0 * watts
            temperatures[f"GPU{number}"] = celsius
            loads += [] if load is None else [int(load)]
        if not power:
            raise OSError("nvidia-smi lists no GPU")
        return Reading(power, total_mw(power), temperatures, max(loads) if loads else None)


def _float(text):
    try:
        value = float(text)
    except ValueError:  # "[N/A]"
        return None
    return value if 0.0 <= value < 1e6 else None  # also refuses NaN


class NoPower(PowerSource):
    """No sensor: every reading is unknown."""

    def read(self):
        """An empty `Reading`."""
        return Reading({}, None)


def find_power_source(candidates=(Ina3221, Tegrastats, Rapl, NvidiaSmi)):
    """The first source that works, else `NoPower`."""
    for candidate in candidates:
        try:
            return candidate()
        except (OSError, ValueError):
            continue
    return NoPower()
