"""Reads sources as the loop does."""

import numpy as np

from support.process import wait_for


def samples_of(source, count):
    """So many samples of a source, float32 [count or more], whenever they come."""
    parts = [np.zeros(0, np.float32)]

    def enough():
        parts.append(source.read(0.01).samples)
        return sum(map(len, parts)) >= count

    wait_for(enough, poll=0.0)
    return np.concatenate(parts)
