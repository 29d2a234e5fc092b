"""The life of a bridge: frames from shared memory to a route, and reports on the side."""

import contextlib
import logging
import os
import threading
import time
from typing import Callable

from ..core.errors import UnavailableError
from ..telemetry.bridges import BridgeReport, ReportFile
from .account import Account
from .feed import Feed
from .route import Route

_LOG = logging.getLogger(__name__)
_REPORT_S = 1.0
_LOG_S = 60.0


def run(
    feed: Feed,
    route: Route,
    account: Account,
    stopped: Callable[[], bool],
    worked: Callable[[], object] = lambda: None,
) -> None:
    """Sends frames until it is stopped, and a neutral one at the end; closes feed and route.

    :param stopped: asked at least five times a second
    :param worked: called as often
    """
    reporter = Reporter(account, route)
    reporter.start()
    try:
        while not stopped():
            frame = feed.next()
            if frame is not None:
                route.send(frame, time.time())
            worked()
        route.send(feed.neutral(), time.time())
    finally:
        reporter.close()
        feed.close()
        route.close()


class Reporter:
    """Renews the bridge's report every second, and logs what was sent every minute, in a thread."""

    def __init__(self, account: Account, route: Route) -> None:
        self._account = account
        self._route = route
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgeface-report", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread, which removes the file."""
        self._closed.set()
        self._thread.join(_REPORT_S)

    def _run(self) -> None:
        try:
            file = ReportFile()
        except UnavailableError as error:
            _LOG.warning("no report for `edgeface top`: %s", error)
            return
        before = self._report()
        told_s = time.monotonic()
        while not self._closed.wait(_REPORT_S):
            report = self._report()
            with contextlib.suppress(OSError):  # a full disk: the next one may find room
                file.write(report)
            if time.monotonic() - told_s >= _LOG_S:
                told_s += _LOG_S
                _log(report, before)
                before = report
        _log(self._report(), before)
        file.remove()

    def _report(self) -> BridgeReport:
        return self._account.report(os.getpid(), self._route.targets)


def _log(now: BridgeReport, before: BridgeReport) -> None:
    _LOG.info(
        "%s: %d packets, %.0f kB, %d refused%s",
        now.name,
        now.packets - before.packets,
        (now.bytes - before.bytes) / 1000,
        now.refused - before.refused,
        f" ({now.error})" if now.refused > before.refused else "",
        extra={"event": "bridge_sent"},
    )
