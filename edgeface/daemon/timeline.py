"""Which sound lies at a position of the pipeline, and when it was captured."""

from collections import deque
from typing import Deque, NamedTuple, Tuple

from ..core.rates import SAMPLE_NS
from ..motion.frame import DISCONTINUITY, NEUTRAL, PLAYBACK
from ..source.base import Block


class _Anchor(NamedTuple):
    position: int
    audio_sample: int
    audio_ns: int
    gap: bool
    flags: int


class Timeline:
    """Remembers where the first sample of every block came from.

    :param audio_sample: count of the first sample to come
    """

    def __init__(self, audio_sample: int = 0) -> None:
        self._anchors: Deque[_Anchor] = deque()
        self._position = 0
        self.audio_sample = audio_sample

    def add(self, block: Block) -> None:
        """Appends a `source.base.Block`."""
        self.audio_sample += block.lost_samples
        gap = block.gap or block.lost_samples > 0
        flags = (NEUTRAL if block.neutral else 0) | (PLAYBACK if block.playback else 0)
        anchor = _Anchor(self._position, self.audio_sample, block.audio_ns, gap, flags)
        self._anchors.append(anchor)
        self._position += len(block.samples)
        self.audio_sample += len(block.samples)

    def take(self, position: int, samples: int) -> Tuple[int, int, int]:
        """Looks up the frame of `samples` samples from `position` on; positions must not fall.

        :return: (audio_sample, audio_ns, flags): flags DISCONTINUITY where a gap lies in or
            right before it, NEUTRAL and PLAYBACK as its first sample is
        """
        while len(self._anchors) > 1 and self._anchors[1].position <= position:
            self._anchors.popleft()
        first = self._anchors[0]
        offset = position - first.position
        flags = first.flags
        for anchor in self._anchors:
            if anchor.gap and position <= anchor.position < position + samples:
                flags |= DISCONTINUITY
        return first.audio_sample + offset, first.audio_ns + offset * SAMPLE_NS, flags
