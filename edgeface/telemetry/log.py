"""The telemetry log: one JSON object a line, few writes, never more than a given size."""

import json
import logging
import os
import re
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from ..core.files import read_regular

_LOG = logging.getLogger(__name__)
PREFIX = "telemetry-"
SUFFIX = ".jsonl"
_NUMBERED = re.compile(PREFIX + r"(\d{8})-")
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
_LARGEST_FILE_BYTES = 1 << 27  # twice the largest that the configuration allows
_LATEST_TIME_S = 1e11  # the year 5138: a line that is later is damaged


def log_files(folder: str) -> List[str]:
    """Paths of the log files in a folder, the oldest first; what is no regular file is none.

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
    first one, and another event how many they were.

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
            if self._file is not None and self._size + len(line) > self._file_bytes:
                self.close()
            if self._file is None:
                self._file = self._begin()
                self._make_room(len(line))
            if os.write(self._file, line) != len(line):
                raise OSError("the disk is full")
        except OSError as error:
            if self._lost == 0:
                _LOG.warning(
                    "telemetry log %s: %s; the face goes on, lines are lost until this is fixed",
                    self.folder,
                    error.strerror or error,
                )
            self._lost += 1
            self._abandon()
            return False
        self._size += len(line)
        if self._lost:
            _LOG.info("telemetry log %s: written again; %d lines lost", self.folder, self._lost)
            self._lost = 0
        return True

    def close(self) -> None:
        """Flushes the file to the disk and closes it."""
        if self._file is not None:
            try:
                os.fsync(self._file)
            except OSError:
                pass  # the next write says so
            self._abandon()

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
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not line.endswith(b"\n"):
        return None
    time_s = value.get("time_s")
    if not isinstance(time_s, (int, float)) or not 0 <= time_s < _LATEST_TIME_S:
        return None
    return value


def read_log(folder: str) -> Tuple[List[Dict[str, Any]], int]:
    """Objects of all files of a folder, in order, and how many lines were damaged.

    :raises OSError: a file cannot be read
    """
    objects = []
    damaged = 0
    for path in log_files(folder):
        for line in read_regular(path, _LARGEST_FILE_BYTES).splitlines(True):
            value = _object(line)
            if value is None:
                damaged += 1
            else:
                objects.append(value)
    return objects, damaged


def newest_object(folder: str) -> Optional[Dict[str, Any]]:
    """The newest undamaged object of a folder's log; None when there is none."""
    try:
        for path in reversed(log_files(folder)):
            for line in reversed(read_regular(path, _LARGEST_FILE_BYTES).splitlines(True)):
                value = _object(line)
                if value is not None:
                    return value
    except OSError:
        pass
    return None
