"""Reports to the service manager: sd_notify(3), in the few lines that it takes."""

import os
import socket
from typing import Mapping

from ..core.clock import monotonic_ns


class Notifier:
    """Speaks to systemd where it started this process, and to nobody elsewhere.

    :param environment: has NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\x00{address[1:]}" if address.startswith("@") else address
        self._socket = (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            if address
            else None
        )
        if self._socket is not None:
            self._socket.setblocking(False)
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        limit_us = environment.get("WATCHDOG_USEC", "") if mine else ""
        # four times as often as required, so that a busy machine is not taken for a hung one
        self._period_ns = int(limit_us) * 250 if limit_us.isdigit() else None
        self._next_ns = 0
        self._status = ""

    @property
    def is_heard(self) -> bool:
        """Whether there is a service manager that reads a status."""
        return self._socket is not None

    def send(self, *lines: str) -> None:
        """Sends assignments such as `READY=1`; a manager that is gone is no error."""
        if self._socket is not None:
            try:
                self._socket.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                pass

    def status(self, text: str) -> None:
        """Sets the line that `systemctl status` shows, when it is another one."""
        if text != self._status:
            self._status = text
            self.send(f"STATUS={text}")

    def worked(self) -> None:
        """Says that work was completed; the only thing that feeds the watchdog."""
        if self._period_ns is not None and monotonic_ns() >= self._next_ns:
            self._next_ns = monotonic_ns() + self._period_ns
            self.send("WATCHDOG=1")
