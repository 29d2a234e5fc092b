"""The telemetry log: one JSON object a line, few writes, never more than so many bytes."""

import json
import logging
import os
import re
import time

_LOG = logging.getLogger(__name__)
PREFIX, SUFFIX = "telemetry-", ".jsonl"
_NUMBERED = re.compile(PREFIX + r"\d{8}-")


def log_files(folder):
    """Paths of the log files in a folder, the oldest first."""
    return [
        os.path.join(folder, name)
        for name in sorted(os.listdir(folder))
        if name.startswith(PREFIX) and name.endswith(SUFFIX)
    ]


class LogWriter:
    """Appends objects; a line is written by one call, so that a crash loses it whole or not at all.

    Every start begins a new file: what a crash cut off stays at the end of an
    old one. A disk that is full or read-only costs lines, which are counted, and
    one warning.

    :param folder: created if it is not there
    :param file_bytes: size at which the next file begins
    :param total_bytes: size of all files above which the oldest are deleted
    """

    def __init__(self, folder, file_bytes, total_bytes, clock=time.time):
        self.folder, self._file_bytes, self._total_bytes, self._clock = (
            folder,
            file_bytes,
            total_bytes,
            clock,
        )
        self._file = None
        self._size = 0
        self._warned = False
        self.lost = 0

    def write(self, values):
        """Appends a dict; returns whether that worked."""
        line = f"{json.dumps(values, separators=(',', ':'), allow_nan=False)}\n".encode()
        try:
            if self._file is not None and self._size + len(line) > self._file_bytes:
                self.close()
            if self._file is None:
                self._begin(len(line))
            if os.write(self._file, line) != len(line):
                raise OSError("the disk is full")
        except OSError as error:
            self.lost += 1
            if not self._warned:
                self._warned = True
                _LOG.warning(
                    "telemetry log %s: %s; the face goes on, lines are lost until this is mended",
                    self.folder,
                    error.strerror or error,
                )
            self._abandon()
            return False
        self._size += len(line)
        self._warned = False
        return True

    def close(self):
        """Writes what the system still holds back, and closes the file."""
        if self._file is not None:
            try:
                os.fsync(self._file)
            except OSError:
                pass  # the next write says so
            self._abandon()

    def _abandon(self):
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self, upcoming):
        os.makedirs(self.folder, exist_ok=True)
        # numbered, because a board without a battery wakes up in 1970
        names = [os.path.basename(path) for path in log_files(self.folder)]
        number = 1 + max(
            [int(name[len(PREFIX) :].split("-")[0]) for name in names if _NUMBERED.match(name)]
            or [0]
        )
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        path = os.path.join(self.folder, f"{PREFIX}{number:08}-{stamp}{SUFFIX}")
        self._file = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640
        )
        self._size = 0
        self._make_room(upcoming, path)

    def _make_room(self, upcoming, current):
        """Deletes the oldest files until a full new one fits into the total."""
        files = [path for path in log_files(self.folder) if path != current]
        sizes = [os.path.getsize(path) for path in files]
        room = self._total_bytes - max(self._file_bytes, upcoming)
        while files and sum(sizes) > room:
            os.unlink(files.pop(0))
            sizes.pop(0)


def _object(line):
    """A line as dict; None when it is damaged."""
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    good = (
        isinstance(value, dict)
        and isinstance(value.get("time_s"), (int, float))
        and line.endswith(b"\n")
    )
    return value if good and 0 <= value["time_s"] < 1e11 else None


def read_log(folder):
    """Objects of all files of a folder, in order, and how many lines were damaged.

    :return: (list of dict, int)
    """
    objects, damaged = [], 0
    for path in log_files(folder):
        with open(path, "rb") as file:
            for line in file:
                value = _object(line)
                if value is None:
                    damaged += 1
                else:
                    objects.append(value)
    return objects, damaged


def newest_object(folder):
    """The newest undamaged object of a folder's log; None when there is none."""
    try:
        for path in reversed(log_files(folder)):
            with open(path, "rb") as file:
                for line in reversed(file.readlines()):
                    value = _object(line)
                    if value is not None:
                        return value
    except OSError:
        pass
    return None
