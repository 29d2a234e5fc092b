"""What a source is, and the blocks that it delivers."""

from abc import ABC, abstractmethod
from typing import NamedTuple, Optional

import numpy as np

from ..core.rates import SAMPLE_NS, SAMPLE_RATE_HZ

BLOCK_SAMPLES = SAMPLE_RATE_HZ // 100  # of whoever does not ask for more: 10 ms


class Block(NamedTuple):
    """A piece of sound that follows the block before it."""

    samples: np.ndarray
    """float32 [n], 16 kHz mono, -1..1 and finite; n may be 0"""

    audio_ns: int
    """when the first sample was captured or is due, CLOCK_MONOTONIC in ns"""

    lost_samples: int = 0
    """16 kHz samples known to be missing before the first one"""

    arrival_ns: int = 0
    """when the last sample reached this process, CLOCK_MONOTONIC in ns; 0: as it is read"""

    gap: bool = False
    """whether an unknown amount of sound is missing before the first sample"""

    neutral: bool = False
    """whether this is silence in place of live sound"""

    playback: bool = False
    """whether this is what the machine plays, not what it records"""

    @property
    def end_ns(self) -> int:
        """When the sample after the last one was captured or is due, in ns."""
        return self.audio_ns + len(self.samples) * SAMPLE_NS


EMPTY = Block(np.zeros(0, np.float32), 0)
"""nothing came in time"""


class SourceLost(Exception):
    """A live source stopped delivering; opening it again may help."""


class Source(ABC):
    """Delivers sound, block by block.

    `open` and `close` alternate, any number of times; `read` is called between them, from
    one thread.

    :param name: how messages name it: its specification
    """

    live = False
    """whether it goes on until it is closed; it can be lost and come back"""

    pauses = False
    """whether it may deliver nothing for a while without being lost"""

    playback = False
    """whether it is a voice that the machine plays"""

    listens = False
    """whether it waits for others to come, so that all it can promise is to be open"""

    longest_pause_s = 0.2
    """between two attempts to open it"""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """How messages name it."""
        return self._name

    @abstractmethod
    def open(self) -> None:
        """Starts to deliver.

        :raises UnavailableError: it cannot, now
        """

    @abstractmethod
    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Optional[Block]:
        """The next block.

        :param timeout_s: how long to wait for sound at most
        :param samples: how many are wanted; whoever can waits for so many, and not for more
        :return: `EMPTY`, or another block without samples, when nothing came in time; None at
            the end, which a live source never reaches
        :raises SourceLost: it stopped delivering; only a live source
        :raises DataError: the sound is damaged; only a file
        """

    @abstractmethod
    def close(self) -> None:
        """Stops; never hangs, and does nothing where nothing is open."""
