"""What turns frames into the datagrams of one protocol."""

import abc
from typing import List

from ..shm.reader import ReadFrame


class Encoder(abc.ABC):
    """Frames to the datagrams of one protocol. Pure: no sockets and no clock."""

    @abc.abstractmethod
    def encode(self, frame: ReadFrame, time_s: float) -> List[bytes]:
        """
        :param frame: as read from shared memory
        :param time_s: when it is shown, CLOCK_REALTIME in seconds
        :return: datagrams in the order of sending; none where there is nothing new to say
        """
