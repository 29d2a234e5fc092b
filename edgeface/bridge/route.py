"""Where the frames of a bridge go."""

import abc

from ..shm.reader import ReadFrame


class Route(abc.ABC):
    """Encodes frames and sends them to whoever is to have them."""

    @property
    @abc.abstractmethod
    def targets(self) -> int:
        """How many get frames now."""

    @abc.abstractmethod
    def send(self, frame: ReadFrame, time_s: float) -> None:
        """Sends a frame; never blocks and never fails.

        :param time_s: when it is shown, CLOCK_REALTIME
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends."""
