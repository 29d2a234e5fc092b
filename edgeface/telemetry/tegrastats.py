"""One line of NVIDIA's tegrastats to values.

The line has no grammar of its own: fields come and go with the board, the release and the
rights of the user. Every field is optional, what is not known is None and never 0, and what is
not understood is kept.

Forms (n, m: numbers):
    RAM n/mMB (lfb nxmMB)   SWAP n/mMB (cached nMB)   IRAM n/mkB(lfb nkB)
    CPU [n%@m,n%,off]       CPU [n%,off]@m
    XXX_FREQ n%  n%@m  n%@[m,m]  @m  @[m]  m  off      load in %, clock in MHz
    NAME@nC  NAME@nC/mC     temperature in C; -256 is a sensor that is off
    RAIL n/m  nmW/mmW  nmW/mmW/kmW  N/A/N/A            power in mW: now, mean, peak
    ENGINE n  n%  n%@m  @m  off   MTS fg n% bg m%      MM-DD-YYYY HH:MM:SS

Decimals have a point or, where the system's language says so, a comma.
"""

import re
from typing import Any, Dict, List, Mapping, Match, NamedTuple, Optional

_OFFLINE_C = -256.0
_PMIC_PLACEHOLDERS_C = (50.0, 100.0)  # printed whatever the chip's temperature
_SCALE_MB = {"k": 1.0 / 1024, "M": 1.0, "G": 1024.0}
_LONGEST = 4096  # a line is a few hundred characters; more is no line
_END = r"(?=\s|$)"
_NUMBER = r"\d{1,9}(?:[.,]\d{1,6})?"
_UNKNOWN = r"(?:N/A|NaN)"
_CLOCK = r"\[[^\]]*\]|\d{1,6}|N/A"  # of one unit or of several

_TIME = re.compile(r"\d\d-\d\d-\d{4} \d\d:\d\d:\d\d" + _END)
_MEMORY = re.compile(
    r"(RAM|SWAP|IRAM) (\d{1,9})/(\d{1,9})([kMG])B(?: ?\((?:lfb|cached) [^)]{0,40}\))?" + _END
)
_CPU = re.compile(r"CPU \[([^\]]*)\](?:@(\d{1,6}))?" + _END)
_CORE = re.compile(r"(\d{1,3})%(?:@(\d{1,6}))?$")
_MTS = re.compile(r"MTS fg \d{1,3}% bg \d{1,3}%" + _END)
_CLOCKED = re.compile(rf"(\w{{1,20}})_FREQ (?:off|(?:(\d{{1,3}})%)?@?({_CLOCK})?){_END}")
_TEMPERATURE = re.compile(
    r"([A-Za-z][\w.-]{0,30})@(-?" + _NUMBER + r")C(?:/-?" + _NUMBER + r"C)?" + _END
)
_RAIL = re.compile(
    rf"(?!I?RAM |SWAP )([A-Z][A-Za-z0-9_]{{0,30}})"
    rf" (?:({_NUMBER})(m?W)?(?:/{_NUMBER}(?:m?W)?){{1,2}}|{_UNKNOWN}(?:/{_UNKNOWN}){{1,2}}){_END}"
)
_ENGINE = re.compile(
    r"(?:APE|VIC|OFA|SE|(?:NVENC|NVDEC|NVJPG|NVDLA|PVA)\d{0,2})"
    rf" (?:off|\d{{1,3}}%(?:@(?:{_CLOCK}))?|@?(?:{_CLOCK})){_END}"
)
_WORD = re.compile(r"\S+")

_Match = Match[str]
_Values = Dict[str, Any]
_Temperatures = Dict[str, Optional[float]]
_Power = Dict[str, Optional[float]]

# rails that already contain the others, the first that is there
TOTALS = ("POM_5V_IN", "VDD_IN", "VIN")
# rails that are all of a board without such a rail: AGX Xavier, AGX Orin
_WHOLE_BOARDS = (
    frozenset(("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V")),
    frozenset(("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")),
)
NOT_CONNECTED = "NC"


class Tegrastats(NamedTuple):
    """Values of one line; None or absent where the line does not say."""

    ram_used_mb: Optional[float]
    ram_total_mb: Optional[float]
    swap_used_mb: Optional[float]
    cpu_percent: List[Optional[int]]  # per core, None: switched off
    emc_percent: Optional[int]
    gpu_percent: Optional[int]
    gpu_mhz: Optional[int]
    temperatures_c: Dict[str, Optional[float]]
    power_mw: Dict[str, Optional[float]]  # None: the rail is there and does not answer
    unknown: List[str]  # words that were not understood


def parse_tegrastats(line: str) -> Tegrastats:
    """Parses a line; never fails: what is not understood goes into `unknown`."""
    values: _Values = {
        "ram_used_mb": None,
        "ram_total_mb": None,
        "swap_used_mb": None,
        "cpu_percent": [],
        "emc_percent": None,
        "gpu_percent": None,
        "gpu_mhz": None,
    }
    temperatures: _Temperatures = {}
    power: _Power = {}
    unknown = []
    line = line[:_LONGEST]
    word = _WORD.search(line)
    while word:
        match = None
        for pattern, take in _FIELDS:
            match = pattern.match(line, word.start())
            if match:
                take(match, values, temperatures, power)
                break
        if not match:
            unknown.append(word.group())
        word = _WORD.search(line, (match or word).end())
    return Tegrastats(temperatures_c=temperatures, power_mw=power, unknown=unknown, **values)


def total_mw(power_mw: Mapping[str, Optional[float]]) -> Optional[float]:
    """Power of the whole board from its rails; None where they do not say it.

    A rail that is a total already is taken alone. On boards that are known to have none (AGX
    Xavier, AGX Orin) the rails are added. A sum that lacks a rail would be too low, so it is None.
    """
    for name in TOTALS:
        if name in power_mw:
            return power_mw[name]
    if any(rails <= set(power_mw) for rails in _WHOLE_BOARDS):
        return sum_mw(power_mw)
    return None


def sum_mw(power_mw: Mapping[str, Optional[float]]) -> Optional[float]:
    """The sum of parts; None where there are none, or one of them is not known."""
    known = [value for value in power_mw.values() if value is not None]
    return sum(known) if known and len(known) == len(power_mw) else None


def _nothing(match: _Match, values: _Values, temperatures: _Temperatures, power: _Power) -> None:
    pass


def _memory(match: _Match, values: _Values, temperatures: _Temperatures, power: _Power) -> None:
    kind, used, total, unit = match.groups()
    if kind == "RAM":
        values["ram_used_mb"] = int(used) * _SCALE_MB[unit]
        values["ram_total_mb"] = int(total) * _SCALE_MB[unit]
    elif kind == "SWAP":
        values["swap_used_mb"] = int(used) * _SCALE_MB[unit]


def _cpu(match: _Match, values: _Values, temperatures: _Temperatures, power: _Power) -> None:
    cores = [_CORE.match(item.strip()) for item in match.group(1).split(",")]
    values["cpu_percent"] = [int(core.group(1)) if core else None for core in cores]


def _clocked(match: _Match, values: _Values, temperatures: _Temperatures, power: _Power) -> None:
    name, percent, clock = match.groups()
    load = None if percent is None else int(percent)
    if name == "EMC":
        values["emc_percent"] = load
    elif name == "GR3D":
        values["gpu_percent"] = load
        clocks = re.findall(r"\d+", clock or "")
        values["gpu_mhz"] = int(clocks[0]) if clocks else None


def _temperature(
    match: _Match, values: _Values, temperatures: _Temperatures, power: _Power
) -> None:
    name = match.group(1)
    celsius = _number(match.group(2))
    offline = celsius == _OFFLINE_C
    placeholder = name.upper() == "PMIC" and celsius in _PMIC_PLACEHOLDERS_C
    temperatures[name] = None if offline or placeholder else celsius


def _rail(match: _Match, values: _Values, temperatures: _Temperatures, power: _Power) -> None:
    name, now, unit = match.groups()
    if name == NOT_CONNECTED:
        return
    if now is None:
        power[name] = None
    else:
        power[name] = _number(now) * (1000.0 if unit == "W" else 1.0)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


_FIELDS = (
    (_TIME, _nothing),
    (_MEMORY, _memory),
    (_CPU, _cpu),
    (_MTS, _nothing),
    (_CLOCKED, _clocked),
    (_ENGINE, _nothing),
    (_TEMPERATURE, _temperature),
    (_RAIL, _rail),
)
