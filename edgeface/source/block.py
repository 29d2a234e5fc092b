"""What every source delivers."""

from typing import NamedTuple

import numpy as np


class Block(NamedTuple):
    """Sound that follows the block before it.

    samples float32 [n], 16 kHz mono, finite; audio_ns: when the first of them was
    captured or due (CLOCK_MONOTONIC); lost: 16 kHz samples that are missing
    before it; arrival_ns: when the last of them came into this process, 0 where
    that is the moment of reading; gap: sound is missing before it, nobody knows
    how much; neutral: silence in place of live sound; playback: what the machine
    plays, not what it hears.
    """

    samples: np.ndarray
    audio_ns: int
    lost: int
    arrival_ns: int = 0
    gap: bool = False
    neutral: bool = False
    playback: bool = False


EMPTY = Block(np.zeros(0, np.float32), 0, 0)


class SourceLost(Exception):
    """A live source stopped delivering; opening it again may help."""
