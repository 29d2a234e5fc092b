"""The sound of a voice that was received and is not due yet."""

from collections import deque
from typing import Deque, List, Tuple

import numpy as np

from ..core.rates import MS_NS, SAMPLE_NS, SAMPLE_RATE_HZ
from ..voice import FADE_MS
from .base import BLOCK_SAMPLES, EMPTY, Block

_STALL_NS = 100 * MS_NS  # a process that was held up for less catches up
_FADE_SAMPLES = SAMPLE_RATE_HZ * FADE_MS // 1000
_FADE = (0.5 + 0.5 * np.cos(np.pi * np.arange(1, _FADE_SAMPLES + 1) / _FADE_SAMPLES)).astype(
    np.float32
)


class VoiceQueue:
    """Delivers sound in real time, each piece after the one before or at its play-at time.

    :param ahead_ns: how long before it is heard sound must be read, so that the face is in time
    """

    def __init__(self, ahead_ns: int = 0) -> None:
        self._ahead_ns = ahead_ns
        self._pieces: Deque[Tuple[int, np.ndarray]] = deque()  # (play-at in ns or 0, samples)
        self._next_ns = 0  # when the sample after the last one read is due
        self._paused = True
        self._fading = False  # whether what is queued is a fade already
        self._last = np.float32(0.0)  # sample that was read
        self.end_ns = 0  # when the sample after that was due; 0 where nothing was read
        self.samples = 0  # queued

    def append(self, samples: np.ndarray, play_at_ns: int = 0) -> None:
        """Queues float32 [n], to be heard at CLOCK_MONOTONIC `play_at_ns`, or next if that is 0."""
        if len(samples):
            self._pieces.append((play_at_ns, samples))
            self.samples += len(samples)
            self._fading = False

    def clear(self) -> None:
        """Drops what is queued; what is queued next is due at once."""
        self._pieces.clear()
        self.samples = 0
        self._next_ns = self.end_ns = 0

    def fade(self, now: int) -> None:
        """Drops what is queued; what is being heard fades out instead of breaking off."""
        if self._fading:
            return
        end_ns = self.end_ns
        parts = self._pop_pieces(end_ns, _FADE_SAMPLES)
        self.clear()
        if now - end_ns > _STALL_NS:
            return
        sound = np.concatenate(parts) if parts else EMPTY.samples
        last = sound[-1] if len(sound) else self._last
        rest = np.full(_FADE_SAMPLES - len(sound), last, np.float32)  # of a writer in real time
        self._next_ns = self.end_ns = end_ns
        self.append(_FADE * np.concatenate((sound, rest)))
        self._fading = True

    def begins(self, now: int) -> bool:
        """Whether there is sound that is due now."""
        return bool(self._pieces) and self._pieces[0][0] - self._ahead_ns <= now

    def pause(self) -> None:
        """Notes that nothing is read: what comes next begins when it comes."""
        self._paused = True

    def idle_ns(self, now: int) -> int:
        """How long the last sample that was read has been over."""
        return now - self._next_ns

    def due_ns(self, now: int, samples: int = BLOCK_SAMPLES) -> int:
        """When the end of a block of so many samples is due; fixes when its start is.

        Not if the queue is empty.
        """
        play_at_ns, _ = self._pieces[0]
        first_ns = max(self._next_ns, play_at_ns - self._ahead_ns)
        if self._paused or first_ns < now - _STALL_NS:
            first_ns = max(first_ns, now)
        self._paused = False
        self._next_ns = first_ns
        # also of a shorter one: there are never more than 100 a second
        return first_ns + samples * SAMPLE_NS

    def pop(self, samples: int = BLOCK_SAMPLES) -> Block:
        """The next block, whose start `due_ns` fixed: so many samples that follow without a gap."""
        sound = np.concatenate(self._pop_pieces(self._next_ns, samples))
        block = Block(sound, self._next_ns, playback=True)
        self.samples -= len(sound)
        self._last = sound[-1]
        self._next_ns = self.end_ns = block.end_ns
        return block

    def _pop_pieces(self, first_ns: int, most_samples: int) -> List[np.ndarray]:
        """The pieces that follow a moment, and each other, without a gap."""
        parts: List[np.ndarray] = []
        count = 0
        while self._pieces and count < most_samples:
            play_at_ns, _ = self._pieces[0]
            if play_at_ns - self._ahead_ns > first_ns + count * SAMPLE_NS:
                break
            parts.append(self._pop_piece(most_samples - count))
            count += len(parts[-1])
        return parts

    def _pop_piece(self, most_samples: int) -> np.ndarray:
        """The first piece, or so much of it."""
        _, samples = self._pieces.popleft()
        if len(samples) > most_samples:
            self._pieces.appendleft((0, samples[most_samples:]))
        return samples[:most_samples]
