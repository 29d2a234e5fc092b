"""Which sound lies at a position of the pipeline, and when it was captured."""

from collections import deque
from typing import Deque, NamedTuple, Tuple

from ..core.rates import SAMPLE_NS
from ..motion.frame import DISCONTINUITY, NEUTRAL, PLAYBACK
from ..source.base import EMPTY, Block


class _Anchor(NamedTuple):
    position: int
    audio_sample: int
    block: Block


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
        # the times are kept, the sound is not
        self._anchors.append(
            _Anchor(self._position, self.audio_sample, block._replace(samples=EMPTY.samples))
        )
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
        gap = any(
            anchor.block.gap or anchor.block.lost_samples
            for anchor in self._anchors
            if position <= anchor.position < position + samples
        )
        flags = (
            (DISCONTINUITY if gap else 0)
            | (NEUTRAL if first.block.neutral else 0)
            | (PLAYBACK if first.block.playback else 0)
        )
        return (
            first.audio_sample + offset,
            first.block.audio_ns + offset * SAMPLE_NS,
            flags,
        )
