"""What `edgeface bridge` runs, whatever the protocol."""

import abc
from typing import Callable

from ..telemetry.bridges import BridgeReport


class Bridge(abc.ABC):
    """Frames from shared memory to other programs, until it is stopped."""

    name: str
    """kind and target, as messages and reports name it"""

    @abc.abstractmethod
    def run(self, stopped: Callable[[], bool], worked: Callable[[], object]) -> None:
        """Sends frames until it is stopped, then lets go of everything.

        :param stopped: asked at least twice a second
        :param worked: called as often, when work was done
        """

    @abc.abstractmethod
    def report(self) -> BridgeReport:
        """Where it stands; asked from another thread."""
