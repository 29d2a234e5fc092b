"""Where power readings come from: the first source that works, or none.

The sources read files or the output of a program; folders and commands are arguments, so that
tests can replace them.
"""

import abc
import glob
import os
import shutil
import subprocess
import time
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from ..core.board import this_board
from .child import TegrastatsChild
from .tegrastats import NOT_CONNECTED, sum_mw, total_mw

_NVIDIA_SMI_TIMEOUT_S = 2.0
_MOST_GPUS = 16
_TIMES_SEEN = 3  # until a rail of tegrastats is one that may be missed


class Reading(NamedTuple):
    """What a source knows at a time; None is not known, never 0."""

    power_mw: Dict[str, Optional[float]]  # per rail
    total_mw: Optional[float]
    temperatures_c: Dict[str, Optional[float]] = {}
    gpu_percent: Optional[int] = None


def _text(path: str) -> str:
    with open(path) as file:
        return file.read().strip()


def _number(path: str) -> Optional[int]:
    """A whole number in a file; None when it cannot be read."""
    try:
        return int(_text(path))
    except (OSError, ValueError):
        return None


class PowerSource(abc.ABC):
    """A way to measure power.

    Constructors raise OSError or ValueError where there is no such sensor.
    """

    name = "none"
    has_total = True  # whether the whole board's power is among what it measures

    @abc.abstractmethod
    def read(self) -> Reading:
        """What is measured now.

        :raises OSError: the sensor does not work any more
        :raises ValueError: it answers something that is not understood
        """

    def close(self) -> None:  # noqa: B027 - most sources hold nothing
        """Frees what the source holds."""

    def notes(self) -> Dict[str, int]:
        """Counts by which an operator sees how healthy the source is."""
        return {}


class Ina3221(PowerSource):
    """The Jetsons' power monitor through sysfs: `iio` up to JetPack 4, `hwmon` since."""

    name = "ina3221"

    def __init__(self, root: str = "/"):
        drivers = os.path.join(root, "sys/bus/i2c/drivers")
        self._powers: List[Tuple[str, str]] = []  # (rail, file of mW)
        for path in sorted(glob.glob(f"{drivers}/ina3221x/*/iio:device*/in_power[0-9]_input")):
            rail = _text(path.replace("in_power", "rail_name_").replace("_input", ""))
            if rail != NOT_CONNECTED:
                self._powers.append((rail, path))
        self._products: List[Tuple[str, str, str]] = []  # (rail, file of mV, file of mA)
        for label in sorted(glob.glob(f"{drivers}/ina3221/*/hwmon/hwmon*/in[0-9]_label")):
            folder, name = os.path.split(label)
            voltage = os.path.join(folder, name.replace("_label", "_input"))
            current = voltage.replace(f"{folder}/in", f"{folder}/curr")
            rail = _text(label)
            # the sum of shunt voltages has no current
            if rail != NOT_CONNECTED and os.path.exists(current):
                self._products.append((rail, voltage, current))
        if not self._powers and not self._products:
            raise OSError(f"no INA3221 below {drivers}")
        self._board_uw = _input_monitor(root)
        rails = [rail for rail, *_ in self._powers + self._products]
        self.has_total = bool(self._board_uw) or total_mw(dict.fromkeys(rails, 0.0)) is not None

    def read(self) -> Reading:
        """Power per rail; OSError when no rail answers any more."""
        power: Dict[str, Optional[float]] = {rail: _number(path) for rail, path in self._powers}
        for rail, voltage, current in self._products:
            millivolts = _number(voltage)
            milliamperes = _number(current)
            if millivolts is None or milliamperes is None:
                power[rail] = None
            else:
                power[rail] = millivolts * milliamperes / 1000.0
        if all(value is None for value in power.values()):
            raise OSError("the INA3221 does not answer")
        if self._board_uw:
            microwatts = _number(self._board_uw)
            power["VIN"] = None if microwatts is None else microwatts / 1000.0
        return Reading(power, total_mw(power))


def _input_monitor(root: str) -> str:
    """Path of what a Thor's INA238 measures, uW: the input of the board; "" on other boards.

    Its INA3221 has some of the rails only.
    """
    if this_board(root).name != "thor":
        return ""
    for driver in ("ina238", "ina2xx"):
        pattern = f"sys/bus/i2c/drivers/{driver}/*/hwmon/hwmon*/power1_input"
        found = sorted(glob.glob(os.path.join(root, pattern)))
        if found:
            return found[0]
    return ""


class Tegrastats(PowerSource):
    """tegrastats as a child process.

    :param command: its path, or a whole command line
    """

    name = "tegrastats"

    def __init__(self, command: Union[str, Sequence[str], None] = None):
        command = command or shutil.which("tegrastats")
        if not command:
            raise OSError("tegrastats is missing")
        if isinstance(command, str):
            command = [command, "--interval", "1000"]
        self._child = TegrastatsChild(command)
        self._seen: Dict[str, int] = {}  # in how many readings a rail was there

    def read(self) -> Reading:
        """Power, temperatures and GPU load; nothing is known while no line comes."""
        values = self._child.latest()
        if values is None:
            return Reading({}, None)
        for rail in values.power_mw:
            self._seen[rail] = self._seen.get(rail, 0) + 1
        # a rail that has gone is unknown, not 0; a garbled name is none
        rails = [rail for rail, times in self._seen.items() if times >= _TIMES_SEEN]
        power_mw: Dict[str, Optional[float]] = dict(dict.fromkeys(rails), **values.power_mw)
        return Reading(
            power_mw,
            total_mw(power_mw),
            values.temperatures_c,
            values.gpu_percent,
        )

    def close(self) -> None:
        """Ends the child, and no other tegrastats."""
        self._child.close()

    def notes(self) -> Dict[str, int]:
        """Restarts of the child, and words of its lines that were not understood."""
        return {"restarts": self._child.restarts, "unknown_tokens": self._child.unknown_tokens}


class Rapl(PowerSource):
    """Energy counters of x86 processors: packages, and memory where it is counted apart."""

    name = "rapl"

    def __init__(self, root: str = "/", clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._zones: List[Tuple[str, str, int]] = []  # (name, file of uJ, where it wraps)
        for folder in sorted(glob.glob(os.path.join(root, "sys/class/powercap/intel-rapl:*"))):
            name = _text(f"{folder}/name")
            if name.startswith("package") or name == "dram":
                if name in [zone for zone, _, _ in self._zones]:  # memory of the next processor
                    name = f"{name}-{len(self._zones)}"
                wrap_uj = _number(f"{folder}/max_energy_range_uj") or 0
                self._zones.append((name, f"{folder}/energy_uj", wrap_uj))
        if all(count is None for count in self._counts_uj()):
            raise OSError("no energy counters that this user may read")
        self._last: Optional[Tuple[float, List[Optional[int]]]] = None

    def _counts_uj(self) -> List[Optional[int]]:
        return [_number(path) for _, path, _ in self._zones]

    def read(self) -> Reading:
        """Mean power since the last reading; the first knows none."""
        now_s = self._clock()
        counts = self._counts_uj()
        if all(count is None for count in counts):
            raise OSError("the energy counters do not answer")
        power: Dict[str, Optional[float]] = {name: None for name, _, _ in self._zones}
        if self._last is not None and now_s > self._last[0]:
            before_s, counts_before = self._last
            for (name, _, wrap_uj), count, before in zip(self._zones, counts, counts_before):
                if count is not None and before is not None:
                    used_uj = count - before if count >= before else count - before + wrap_uj
                    if used_uj >= 0:
                        power[name] = used_uj / 1000.0 / (now_s - before_s)
        self._last = (now_s, counts)
        return Reading(power, sum_mw(power))


class NvidiaSmi(PowerSource):
    """A discrete NVIDIA GPU through nvidia-smi; its power only, not the machine's."""

    name = "nvidia-smi"
    _QUERY = [
        "--query-gpu=power.draw,temperature.gpu,utilization.gpu",
        "--format=csv,noheader,nounits",
    ]

    def __init__(self, command: Optional[str] = None):
        command = command or shutil.which("nvidia-smi")
        if not command:
            raise OSError("nvidia-smi is missing")
        self._command = [command] + self._QUERY
        self.has_total = self.read().total_mw is not None

    def read(self) -> Reading:
        """Power, temperature and load; OSError when nvidia-smi fails or needs over 2 s."""
        try:
            answer = subprocess.run(
                self._command,
                env=dict(os.environ, LC_ALL="C"),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_NVIDIA_SMI_TIMEOUT_S,
                check=True,
            )
        except subprocess.SubprocessError as error:
            raise OSError(f"nvidia-smi: {error}") from None
        lines = answer.stdout.decode("ascii", "replace").splitlines()
        power: Dict[str, Optional[float]] = {}
        temperatures: Dict[str, Optional[float]] = {}
        loads: List[int] = []
        for number, line in enumerate(lines[:_MOST_GPUS]):
            cells = [_float(cell) for cell in line.split(", ")] + [None] * 3
            watts, celsius, load = cells[:3]
            power[f"GPU{number}"] = None if watts is None else 1000.0 * watts
            temperatures[f"GPU{number}"] = celsius
            if load is not None:
                loads.append(int(load))
        if not power:
            raise OSError("nvidia-smi lists no GPU")
        return Reading(power, sum_mw(power), temperatures, max(loads) if loads else None)


def _float(text: str) -> Optional[float]:
    try:
        value = float(text.replace(",", "."))
    except ValueError:  # "[N/A]"
        return None
    return value if 0.0 <= value < 1e6 else None  # also refuses NaN


class NoPower(PowerSource):
    """No sensor: every reading is unknown."""

    def read(self) -> Reading:
        """Nothing is known."""
        return Reading({}, None)


def first_reading(source: PowerSource, longest_s: float, period_s: float = 0.5) -> Reading:
    """The first reading with a total, or the last one within some seconds.

    :raises OSError: the sensor does not work
    """
    end_s = time.monotonic() + longest_s
    while True:
        reading = source.read()
        if reading.total_mw is not None or time.monotonic() >= end_s:
            return reading
        time.sleep(period_s)


def find_power_source(
    candidates: Iterable[Callable[[], PowerSource]] = (Ina3221, Tegrastats, Rapl, NvidiaSmi),
) -> PowerSource:
    """The first source that works and measures the whole board, else the first that works."""
    partial: Optional[PowerSource] = None
    for candidate in candidates:
        try:
            source = candidate()
        except (OSError, ValueError):
            continue
        if source.has_total:
            if partial is not None:
                partial.close()
            return source
        if partial is None:
            partial = source
        else:
            source.close()
    return partial or NoPower()
