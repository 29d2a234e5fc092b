"""The telemetry log: one JSON object a line, few writes, never more than a given size."""

import contextlib
import errno
import json
import logging
import os
import re
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from ..core.files import open_regular

_LOG = logging.getLogger(__name__)
PREFIX = "telemetry-"
SUFFIX = ".jsonl"
_NUMBERED = re.compile(PREFIX + r"(\d{8})-")
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
LATEST_TIME_S = 1e11  # the year 5138: a line that is later is damaged
_LONGEST_LINE = 1 << 20
_TAIL_BYTES = 1 << 18  # of a file, in which its newest lines are


def log_files(folder: str) -> List[str]:
    """Paths of the log files in a folder, the oldest first; of regular files alone.

    :raises OSError: it cannot be listed
    """
    paths = [
        os.path.join(folder, name)
        for name in sorted(os.listdir(folder))
        if name.startswith(PREFIX) and name.endswith(SUFFIX)
    ]
    return [path for path in paths if os.path.isfile(path)]


class LogWriter:
    """Appends objects; a line is written by one call, so that a crash loses all of it or nothing.

    Every start begins a new file: what a crash cut off stays at the end of an
    old one. A disk that is full or read-only costs lines; a warning says so at the
    first one, and another event how many they were. A file or folder that was removed
    is created again with the next line.

    :param folder: created if it is missing
    :param file_bytes: size at which the next file begins
    :param total_bytes: size of all files above which the oldest are deleted
    :param clock: seconds since 1970
    """

    def __init__(
        self,
        folder: str,
        file_bytes: int,
        total_bytes: int,
        clock: Callable[[], float] = time.time,
    ):
        self.folder = folder
        self._file_bytes = file_bytes
        self._total_bytes = total_bytes
        self._clock = clock
        self._file: Optional[int] = None
        self._path = ""
        self._size = 0
        self._lost = 0  # lines since the last one that was written

    def write(self, values: Dict[str, Any]) -> bool:
        """Appends an object; returns whether that worked."""
        line = f"{json.dumps(values, separators=(',', ':'), allow_nan=False)}\n".encode()
        try:
            self._append(line)
        except OSError as error:
            if self._lost == 0:
                _LOG.warning(
                    "telemetry log %s: %s; the face goes on, lines are lost until this is fixed",
                    self.folder,
                    error.strerror or error,
                )
            self._lost += 1
            return False
        if self._lost:
            _LOG.info("telemetry log %s: written again; %d lines lost", self.folder, self._lost)
            self._lost = 0
        return True

    def close(self) -> None:
        """Flushes the file to the disk and closes it; one without a line is removed."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):  # the next write says so
            os.fsync(self._file)
            if self._size == 0 and self._is_in_place():
                os.unlink(self._path)
        self._abandon()

    def _append(self, line: bytes) -> None:
        if self._file is not None:
            if not self._is_in_place():
                self._abandon()
            elif self._size and self._size + len(line) > self._file_bytes:
                self.close()
        if self._file is None:
            self._file = self._begin()
            self._make_room(len(line))
        try:
            if os.write(self._file, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            # what was written of it goes; the file is kept, or every try would leave another one
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(line)

    def _is_in_place(self) -> bool:
        """Whether the open file still has its name: somebody may have removed file or folder."""
        assert self._file is not None
        try:
            return os.path.samestat(os.lstat(self._path), os.fstat(self._file))
        except OSError:
            return False

    def _abandon(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self) -> int:
        """Creates the next file; returns its descriptor."""
        os.makedirs(self.folder, exist_ok=True)
        # numbered, because a board without a battery starts in 1970
        matches = [_NUMBERED.match(os.path.basename(path)) for path in log_files(self.folder)]
        number = 1 + max((int(match.group(1)) for match in matches if match), default=0)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        self._path = os.path.join(self.folder, f"{PREFIX}{number:08}-{stamp}{SUFFIX}")
        self._size = 0
        return os.open(self._path, _NEW_FILE, 0o640)

    def _make_room(self, upcoming: int) -> None:
        """Deletes the oldest files until the new one fits into the total when it is full.

        :param upcoming: size of its first line in bytes
        """
        files = [path for path in log_files(self.folder) if path != self._path]
        sizes = [os.path.getsize(path) for path in files]
        room = self._total_bytes - max(self._file_bytes, upcoming)
        while files and sum(sizes) > room:
            os.unlink(files.pop(0))
            sizes.pop(0)


def _object(line: bytes) -> Optional[Dict[str, Any]]:
    """A line's object; None when it is damaged."""
    if len(line) > _LONGEST_LINE:
        return None
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not line.endswith(b"\n"):
        return None
    time_s = value.get("time_s")
    if not isinstance(time_s, (int, float)) or isinstance(time_s, bool):
        return None
    return value if 0 <= time_s < LATEST_TIME_S else None


def _refuse(constant: str) -> None:
    """`Infinity` and `NaN`, which are no JSON."""
    raise ValueError(constant)


def _lines(path: str) -> Iterator[bytes]:
    """Lines of a file; of one that is too long, pieces."""
    with open_regular(path) as file:
        yield from iter(lambda: file.readline(_LONGEST_LINE + 1), b"")


def read_log(folder: str) -> Tuple[List[Dict[str, Any]], int]:
    """Objects of all files of a folder, in order, and how many lines were damaged.

    :raises OSError: a file cannot be read
    """
    objects = []
    damaged = 0
    for path in log_files(folder):
        for line in _lines(path):
            value = _object(line)
            if value is None:
                damaged += 1
            else:
                objects.append(value)
    return objects, damaged


def _tail(path: str) -> List[bytes]:
    """The last lines of a file; the first of them may be a part of one."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _TAIL_BYTES))
        return file.read(_TAIL_BYTES).splitlines(keepends=True)


def newest_object(folder: str) -> Optional[Dict[str, Any]]:
    """The newest undamaged object of a folder's log; None when there is none."""
    try:
        for path in reversed(log_files(folder)):
            for line in reversed(_tail(path)):
                value = _object(line)
                if value is not None:
                    return value
    except OSError:
        pass
    return None
