"""When the objects of a log were written, on boards whose clock is wrong until the network sets it.

Such a board starts in 1970, or at the time of its last shutdown, and steps to the present later.
Every object therefore also says how long its boot had lasted (`boot_id`, `boot_s`): the last object
of a boot has the best clock, and the others are reckoned back from it. Boots whose clock was never
set are placed beside their neighbours: the order of the log is always right.
"""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .log import LATEST_TIME_S
from .numbers import number

Object = Dict[str, Any]

_CLOCK_SET_S = 1577836800.0  # 2020: nothing of this program is older
_LATE_S = 60.0  # a boot that ends so much after the next one began had a wrong clock
_LOOK_BACK = 200  # boots in a row with a wrong clock


class _Boot(NamedTuple):
    """Objects of one boot with the time on its own clock, s."""

    objects: List[Object]
    times_s: List[float]

    @property
    def offset_s(self) -> float:
        """What makes seconds since 1970 of its own clock, as its last object knows it."""
        last: float = self.objects[-1]["time_s"] - self.times_s[-1]
        return last

    @property
    def began_s(self) -> float:
        """When its first interval began, on its own clock."""
        return self.times_s[0] - _interval_s(self.objects[0])

    @property
    def from_s(self) -> float:
        """When it began by that clock, seconds since 1970."""
        return self.began_s + self.offset_s

    @property
    def to_s(self) -> float:
        """When its last object was written by that clock, seconds since 1970."""
        return self.times_s[-1] + self.offset_s


def reckoned(objects: Sequence[Object]) -> List[Object]:
    """The same objects, in the same order, with a `time_s` that never steps.

    :param objects: of one machine, in the order in which they were written
    """
    boots = _boots(objects)
    result: List[Object] = []
    for boot, offset_s in zip(boots, _offsets_s(boots)):
        for values, seconds in zip(boot.objects, boot.times_s):
            time_s = min(max(0.0, seconds + offset_s), LATEST_TIME_S)
            result.append(dict(values, time_s=time_s))
    return result


def _boots(objects: Sequence[Object]) -> List[_Boot]:
    boots: List[_Boot] = []
    last_key: Optional[Tuple[Any, ...]] = None
    for values in objects:
        key, seconds = _own_clock(values)
        continues = key == last_key and bool(boots)
        if seconds is None:  # an older release, which did not say: intervals are all there is
            before_s = boots[-1].times_s[-1] if continues else 0.0
            seconds = before_s + _interval_s(values)
        if not continues or seconds < boots[-1].times_s[-1]:
            boots.append(_Boot([], []))
        boots[-1].objects.append(values)
        boots[-1].times_s.append(seconds)
        last_key = key
    return boots


def _own_clock(values: Object) -> Tuple[Tuple[Any, ...], Optional[float]]:
    """Which boot an object is of, and its time there."""
    boot_id = values.get("boot_id")
    boot_s = number(values, "boot_s")
    if isinstance(boot_id, str) and boot_s is not None and boot_s >= 0:
        return ("boot", boot_id), boot_s
    if values["time_s"] >= _CLOCK_SET_S:
        return ("clock",), values["time_s"]
    pid = values.get("pid")
    return ("process", pid if isinstance(pid, int) else None), None


def _offsets_s(boots: Sequence[_Boot]) -> List[float]:
    """What is added to the times of each boot."""
    known = _trusted_offsets_s(boots)
    offsets: List[float] = []
    end_s: Optional[float] = None
    for index, boot in enumerate(boots):
        offset_s = known[index]
        if offset_s is None and end_s is not None:
            offset_s = end_s - boot.began_s  # right after the one before
        elif offset_s is None:
            offset_s = _before_the_next_s(boots, known, index)
        offsets.append(offset_s)
        end_s = boot.times_s[-1] + offset_s
    return offsets


def _trusted_offsets_s(boots: Sequence[_Boot]) -> List[Optional[float]]:
    """The offsets of boots whose clock was set; None for the others.

    Trusted are the boots of the sequence with the most objects in which each ends before the next
    one begins.
    """
    chains: List[Tuple[int, Optional[int]]] = []  # objects up to a boot, and the boot before it
    for index, boot in enumerate(boots):
        best: Tuple[int, Optional[int]] = (0, None)
        for before in range(max(0, index - _LOOK_BACK), index):
            objects = chains[before][0]
            if objects > best[0] and boots[before].to_s <= boot.from_s + _LATE_S:
                best = (objects, before)
        own = len(boot.objects) if boot.to_s >= _CLOCK_SET_S else -1
        chains.append((best[0] + own, best[1]) if own > 0 else (0, None))
    trusted: List[Optional[float]] = [None] * len(boots)
    at = max(range(len(boots)), key=lambda index: chains[index][0], default=None)
    while at is not None and chains[at][0] > 0:
        trusted[at] = boots[at].offset_s
        at = chains[at][1]
    return trusted


def _before_the_next_s(
    boots: Sequence[_Boot], known: Sequence[Optional[float]], index: int
) -> float:
    """The offset of the first boot: what follows ends where the first known one begins."""
    later = next((k for k in range(index, len(boots)) if known[k] is not None), None)
    if later is None:
        return boots[index].offset_s
    begins_s = boots[later].from_s
    lasted_s = sum(boot.times_s[-1] - boot.began_s for boot in boots[index:later])
    return begins_s - lasted_s - boots[index].began_s


def _interval_s(values: Object) -> float:
    return max(0.0, number(values, "interval_s") or 0.0)
