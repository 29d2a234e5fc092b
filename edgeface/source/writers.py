"""The writers of a named pipe: where the sound of one ends and that of the next one begins.

A pipe says that nobody writes it only as long as nobody does. Where the next writer comes at once,
inotify(7) still tells that there was such a moment.
"""

import array
import ctypes
import fcntl
import os
import select
import struct
import termios
from collections import deque
from typing import Deque, List, NamedTuple

_CLOSE_WRITE = 0x08  # of <sys/inotify.h>
_CLOSE_READ = 0x10
_OPEN = 0x20
_EVENT = struct.Struct("iIII")
_EVENTS_BYTES = 4096


def waiting_bytes(file: int) -> int:
    """How many bytes can be read now."""
    waiting = array.array("i", [0])
    try:
        fcntl.ioctl(file, termios.FIONREAD, waiting)
    except OSError:
        return 0  # a device such as /dev/null, in which nothing piles up
    return waiting[0]


class End(NamedTuple):
    """Where the last writer's sound ends: between two positions, from the first byte ever read."""

    first: int
    last: int


class Writers:
    """Knows, of what waits in a named pipe, where the writers change.

    Where inotify cannot be used, only changes are seen between which the pipe was looked at.

    :param file: the pipe, open for reading without blocking
    """

    def __init__(self, file: int) -> None:
        self._ends: Deque[End] = deque()
        self._read = 0  # position
        self._certain = 0  # no writer has gone before this position but those of `_ends`
        self._writing = 0  # how many there are
        self._gone = False  # there was a moment without, and nobody has come since
        libc = ctypes.CDLL(None)
        self._events = -1
        if hasattr(libc, "inotify_init1"):
            self._events = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._events >= 0:
            mask = _CLOSE_WRITE | _CLOSE_READ | _OPEN
            libc.inotify_add_watch(self._events, f"/proc/self/fd/{file}".encode(), mask)
        self.follow(file)

    def follow(self, file: int) -> None:
        """Goes on with another descriptor of the same pipe."""
        self._file = file

    def close(self) -> None:
        """Watches no longer; the pipe stays the caller's."""
        if self._events >= 0:
            os.close(self._events)
            self._events = -1

    def register(self, poll: "select.poll") -> None:
        """Has somebody who waits for sound woken when writers change, too."""
        if self._events >= 0:
            poll.register(self._events, select.POLLIN)

    def look(self) -> None:
        """Notices who has come and gone; before every read."""
        before = self._written
        replaced = self._was_replaced()
        if self._nobody_writes():
            end = self._written
            self._masks()  # of those who are gone
            self._gone = False
            if self._nobody_writes():
                self._writing = 0
                if end > self._read:  # otherwise the next read says so
                    self._add(End(self._certain if replaced else end, end))
                return
            self._writing = 1
            replaced = True
        if replaced:
            self._add(End(self._certain, self._written))
        elif not self._gone:
            self._certain = before

    def most(self, count: int) -> int:
        """So many bytes, or as many as may be read at once where the writer changes before."""
        if self._ends:
            end = self._ends[0]
            return min(count, end.first - self._read) if self._read < end.first else self.unsure
        return min(count, self._certain - self._read) if self._read < self._certain else count

    @property
    def unsure(self) -> int:
        """Length of what comes next if the writers change somewhere in it; otherwise 0."""
        if self._ends and self._ends[0].first <= self._read:
            return self._ends[0].last - self._read
        return 0

    def take(self, count: int) -> bool:
        """So many bytes were read; whether a writer's sound has ended with them."""
        self._read += count
        if not self._ends or self._read < self._ends[0].last:
            return False
        self._ends.popleft()
        return True

    @property
    def _written(self) -> int:
        """Position behind all that was written by now."""
        return self._read + waiting_bytes(self._file)

    def _add(self, end: End) -> None:
        self._certain = end.last
        if not self._ends:
            self._ends.append(end)
        elif end.last > self._ends[-1].last:
            self._ends.append(End(max(end.first, self._ends[-1].last), end.last))

    def _nobody_writes(self) -> bool:
        poll = select.poll()
        poll.register(self._file, 0)  # a hang-up is always reported
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def _was_replaced(self) -> bool:
        """Whether since the last time all writers have gone and another one has come."""
        replaced = False
        gone_for_long = self._gone
        for mask in self._masks():
            if mask & _OPEN:
                replaced = replaced or self._gone
                self._gone = False
                self._writing += 1
            else:
                self._writing -= 1
                if mask & _CLOSE_WRITE and self._writing <= 0:
                    self._writing = 0
                    self._gone = True
        if gone_for_long and self._gone:
            # somebody writes all the same: two that opened it at once are one event
            self._gone = False
            self._writing = 1
        return replaced

    def _masks(self) -> List[int]:
        """What happened to the pipe since the last time."""
        masks: List[int] = []
        while self._events >= 0:
            try:
                data = os.read(self._events, _EVENTS_BYTES)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                _, mask, _, name_bytes = _EVENT.unpack_from(data, at)
                masks.append(mask)
                at += _EVENT.size + name_bytes
        return masks
