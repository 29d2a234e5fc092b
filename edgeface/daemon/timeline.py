"""Which sound, and when captured, stands at a position of the pipeline."""

from collections import deque
from typing import NamedTuple

from ..features import SAMPLE_RATE_HZ


class _Anchor(NamedTuple):
    position: int
    audio_sample: int
    audio_ns: int
    gap: bool
    neutral: bool


class Timeline:
    """Remembers, for every block fed, where its first sample came from."""

    def __init__(self):
        self._anchors = deque()
        self._position = 0
        self._audio_sample = 0

    def add(self, block, gap=False, neutral=False):
        """Appends a `source.block.Block`.

        :param gap: sound is missing before it, even if nobody knows how much
        :param neutral: it is no live sound
        """
        self._audio_sample += block.lost
        self._anchors.append(_Anchor(self._position, self._audio_sample, block.audio_ns,
                                     gap or block.lost > 0, neutral))
        self._position += len(block.samples)
        self._audio_sample += len(block.samples)

    def take(self, position, samples):
        """Looks up the frame of `samples` samples from `position` on; positions must not fall.

        :return: (audio_sample, audio_ns, whether a gap lies in or right before it, whether
            it holds no live sound)
        """
        while len(self._anchors) > 1 and self._anchors[1].position <= position:
            self._anchors.popleft()
        first = self._anchors[0]
        offset = position - first.position
        gap = any(anchor.gap for anchor in self._anchors
                  if position <= anchor.position < position + samples)
        return (first.audio_sample + offset, first.audio_ns + offset * 1000000000 // SAMPLE_RATE_HZ,
                gap, first.neutral)
