"""Events: to the journal with fields under systemd, else as lines on stderr."""

import logging
import os
import socket
import struct

from ..core.stdio import STDERR, LineWriter

SOCKET = "/run/systemd/journal/socket"
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))


class JournalHandler(logging.Handler):
    """Sends records by the journal's native protocol.

    A record's `event` (through `extra`) becomes the field EDGEFACE_EVENT, so
    that `journalctl EDGEFACE_EVENT=source_lost` finds it.

    :param path: socket of the journal
    :raises OSError: no journal there
    """

    def __init__(self, path: str = SOCKET) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.connect(path)

    def emit(self, record: logging.LogRecord) -> None:
        """Sends one record; a journal that is gone or full costs the record, nothing else."""
        priority = next(p for level, p in _PRIORITIES if record.levelno >= level)
        fields = {
            "MESSAGE": self.format(record),
            "PRIORITY": str(priority),
            "SYSLOG_IDENTIFIER": "edgeface",
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "EDGEFACE_EVENT": getattr(record, "event", ""),
        }
        try:
            self._socket.send(
                b"".join(_field(name, value) for name, value in fields.items() if value)
            )
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: there is no better place to complain."""


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")
    if b"\n" in data:  # binary form: length, then bytes
        return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
    return name.encode() + b"=" + data + b"\n"


class StderrHandler(logging.Handler):
    """Writes records as lines.

    :param stderr: neither blocks nor fails
    """

    def __init__(self, stderr: LineWriter) -> None:
        super().__init__()
        prefix = "\r\x1b[K" if os.isatty(STDERR) else ""  # over the status line
        self.setFormatter(logging.Formatter(f"{prefix}edgeface: %(message)s"))
        self._stderr = stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        self._stderr.write(f"{self.format(record)}\n")


def set_up_events(stderr: LineWriter) -> None:
    """Decides where this process' events go: to the journal, or as lines to `stderr`."""
    handler: logging.Handler = StderrHandler(stderr)
    level = logging.WARNING
    if _stderr_is_the_journal():
        try:
            handler = JournalHandler()
            level = logging.INFO
        except OSError:
            pass  # stderr reaches it as well, without fields
    logging.basicConfig(level=level, handlers=[handler])


def _stderr_is_the_journal() -> bool:
    """Whether systemd connected this process' stderr to the journal.

    The variable that says so is inherited by terminals and programs whose stderr is another file,
    so the device and inode in it must be those of stderr; see systemd.exec(5), JOURNAL_STREAM.
    """
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    status = os.fstat(STDERR)
    return (device, inode) == (str(status.st_dev), str(status.st_ino))
