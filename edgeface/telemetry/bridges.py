"""What bridges have sent: a small file of each, which it renews and others read."""

import contextlib
import glob
import json
import os
import re
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.files import read_regular, replacing
from ..core.rates import SECOND_NS
from ..shm.lock import runtime_folder
from .numbers import number, text

SERVICES = "/run/edgeface-bridge"  # a folder for each service (edgeface-bridge@.service)
_FRESH_NS = 10 * SECOND_NS  # a bridge that lives renews its file every second
_NAME = re.compile(r"bridge-\d+\.json")
_MOST_BYTES = 4096
_MOST_FILES = 100


class BridgeReport(NamedTuple):
    """Where a bridge stands; counts are those since its start."""

    name: str  # of the configuration, or kind and target
    pid: int
    targets: int  # that get frames now: 0 while a name is not resolved, or there is no client
    packets: int  # or events
    bytes: int
    refused: int  # datagrams that did not go out, or that came back; requests of pages
    error: str  # why, the last time; "" for never
    packet_age_s: Optional[float]  # of the last datagram that went out
    refused_age_s: Optional[float]  # of the last one that was refused
    skipped: int = 0  # events that slow clients missed


class ReportFile:
    """The file of this process; those that dead processes left in its folder are removed.

    :raises UnavailableError: there is no folder for it
    """

    def __init__(self) -> None:
        folder = runtime_folder()
        self.path = os.path.join(folder, f"bridge-{os.getpid()}.json")
        for path in _files(folder):
            if _read(path) is None:
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def write(self, report: BridgeReport) -> None:
        """Renews the file, in one step.

        :raises OSError: it cannot be written
        """
        values = dict(report._asdict(), written_ns=monotonic_ns())
        with replacing(self.path, "w") as file:
            json.dump(values, file)

    def remove(self) -> None:
        """Removes the file."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)


def read_reports(folders: Optional[Iterable[str]] = None) -> List[BridgeReport]:
    """The reports of all living bridges that this user may see, by name.

    :param folders: where they lie; by default those of the services and of this user
    """
    if folders is None:
        folders = glob.glob(f"{SERVICES}/*")
        with contextlib.suppress(UnavailableError):  # no place for a report of this user's either
            folders.append(runtime_folder())
    paths = [path for folder in folders for path in _files(folder)]
    reports = [_read(path) for path in paths[:_MOST_FILES]]
    return sorted(
        (report for report in reports if report is not None),
        key=lambda report: (report.name, report.pid),
    )


class BridgeCounts:
    """What all bridges together have sent since the last look, by name."""

    def __init__(self) -> None:
        self._before: Dict[int, BridgeReport] = {}  # by process

    def take(self, reports: Iterable[BridgeReport]) -> Dict[str, Dict[str, Any]]:
        """The counts since the last call, as an object of the log.

        :param reports: of `read_reports`
        """
        counts: Dict[str, Dict[str, Any]] = {}
        now = {report.pid: report for report in reports}
        for pid, report in now.items():
            before = self._before.get(pid)
            known = before if before is not None and before.packets <= report.packets else None
            entry = counts.setdefault(report.name, {"packets": 0, "bytes": 0, "refused": 0})
            for key in ("packets", "bytes", "refused"):
                entry[key] += getattr(report, key) - (getattr(known, key) if known else 0)
            entry["error"] = report.error or None
        self._before = now
        return counts


def _files(folder: str) -> List[str]:
    with contextlib.suppress(OSError):
        return [f"{folder}/{name}" for name in os.listdir(folder) if _NAME.fullmatch(name)]
    return []


def _read(path: str) -> Optional[BridgeReport]:
    """A report; None where the file is damaged, or its process has not renewed it."""
    try:
        values = json.loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    # not by the process: one in another container cannot be seen from here
    written_ns = number(values, "written_ns")
    if written_ns is None or not 0 <= monotonic_ns() - written_ns < _FRESH_NS:
        return None
    count = {key: number(values, key) for key in ("pid", "targets", "packets", "bytes", "refused")}
    if None in count.values():
        return None
    return BridgeReport(
        skipped=int(number(values, "skipped") or 0),
        name=text(values.get("name")),
        error=text(values.get("error"), ""),
        packet_age_s=number(values, "packet_age_s"),
        refused_age_s=number(values, "refused_age_s"),
        **{key: int(value or 0) for key, value in count.items()},
    )
