"""Ends a program with all that it started, wherever those processes have moved to."""

import os
import signal
import time
from typing import Dict, List, Set

MARK = "EDGEFACE_PROGRAM"  # environment variable that whatever a program starts inherits
_POLL_S = 0.01


def end_all(pid: int, mark: str, timeout_s: float) -> List[int]:
    """Kills a process, its group, its descendants, and whoever carries its mark.

    A process that leaves the group and is orphaned keeps the mark; one that clears its
    environment still has its parent. Children of this process are not reaped, but orphans
    that it adopted are.

    :param pid: a child of this process, not reaped yet
    :param mark: value of `MARK` in its environment
    :param timeout_s: how long to wait for them to be gone
    :return: processes that are still there, such as those of another user
    """
    deadline_s = time.monotonic() + timeout_s
    orphans: Set[int] = set()
    while True:
        # found before the parents end: a parent is all that some can be recognised by
        family = _family(pid, mark)
        orphans |= family - {pid}
        for member in family:
            _kill(member)
        _kill(-pid)
        _reap(orphans)
        if not family or time.monotonic() > deadline_s:
            return sorted(family)
        time.sleep(_POLL_S)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass  # it is gone, or another user's


def _family(pid: int, mark: str) -> Set[int]:
    """The process and all that belong to it, without those that have ended."""
    parents = _living()
    found = {member for member in parents if member == pid or _carries(member, mark)}
    grown = True
    while grown:
        more = {member for member, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def _living() -> Dict[int, int]:
    """Every process that has not ended, with its parent."""
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has just ended
        if fields[0] not in (b"Z", b"X"):
            parents[int(name)] = int(fields[1])
    return parents


def _carries(pid: int, mark: str) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={mark}".encode() in file.read().split(b"\0")
    except OSError:
        return False


def _reap(pids: Set[int]) -> None:
    """Takes leave of orphans that became children of this process, as those of a container do."""
    for pid in list(pids):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended = pid  # not a child of this process
        if ended:
            pids.discard(pid)
