"""Says what a bridge has sent: to `edgeface top`, `edgeface doctor`, the log and the journal."""

import contextlib
import logging
import threading
import time
from typing import Any, Callable

from ..core.errors import UnavailableError
from ..telemetry.bridges import BridgeReport, ReportFile

_LOG = logging.getLogger(__name__)
_REPORT_S = 1.0
_LOG_S = 60.0


class Reporter:
    """Renews the report's file every second, and logs what was sent every minute, in a thread.

    A context manager.

    :param report: where the bridge stands
    """

    def __init__(self, report: Callable[[], BridgeReport]) -> None:
        self._report = report
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgeface-report", daemon=True)

    def __enter__(self) -> "Reporter":
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
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


def _log(now: BridgeReport, before: BridgeReport) -> None:
    _LOG.info(
        "%s: %d packets, %.0f kB, %d refused%s",
        now.name,
        now.packets - before.packets,
        (now.bytes - before.bytes) / 1000,
        now.refused - before.refused,
        f" ({now.error})" if now.error and now.refused > before.refused else "",
        extra={"event": "bridge_sent"},
    )
