"""A bridge of datagrams: the one loop of all protocols that go over UDP."""

import os
import time
from typing import Callable

from ..telemetry.bridges import BridgeReport
from .account import Account
from .bridge import Bridge
from .feed import Feed
from .route import Route


class Sender(Bridge):
    """Sends the frames of a feed over a route, and a neutral one at the end."""

    def __init__(self, feed: Feed, route: Route, account: Account) -> None:
        self.name = account.name
        self._feed = feed
        self._route = route
        self._account = account

    def run(self, stopped: Callable[[], bool], worked: Callable[[], object]) -> None:
        """Sends frames until it is stopped; closes feed and route."""
        try:
            while not stopped():
                frame = self._feed.next()
                if frame is not None:
                    self._route.send(frame, time.time())
                worked()
            self._route.send(self._feed.neutral(), time.time())
        finally:
            self._feed.close()
            self._route.close()

    def report(self) -> BridgeReport:
        """What the account says."""
        return self._account.report(os.getpid(), self._route.targets)
