"""Which frame is shown when: each new one of a segment, or more of them, evenly in time."""

import abc
import time
from collections import deque
from typing import Deque, Optional

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import FRAME_MS, FRAME_RATE_HZ, MS_NS, SECOND_NS
from ..motion.frame import NEUTRAL
from ..shm.reader import Reader, ReadFrame

_NEUTRAL_NS = 200 * MS_NS  # between neutral frames: receivers take a second of silence for a loss
_EARLY_NS = 2 * MS_NS  # so long before a frame is due it is looked for
_SHORTEST_NS = 10 * MS_NS  # a file that is faster than real time is no reason to be so, too
_SOON_NS = 100 * MS_NS  # so long after a frame the next one is looked for all the time
_POLL_S = 0.001
_SLOW_POLL_S = 0.02
_SILENCE_DBFS = -120.0
_SHAPES = 52


class Feed(abc.ABC):
    """Frames of a segment; neutral ones, a few a second, while nobody writes it.

    :param shm: name of the segment
    :param neutral: landmarks of the resting face, float32 [68, 3]
    """

    def __init__(self, shm: str, neutral: np.ndarray) -> None:
        self._reader = Reader(shm)
        self._landmarks = neutral
        self._index = -1
        self._next_neutral_ns = 0

    @abc.abstractmethod
    def next(self) -> Optional[ReadFrame]:
        """Waits for the next frame, 200 ms at most; None where none has come."""

    def neutral(self) -> ReadFrame:
        """The resting face, now."""
        self._index += 1
        now_ns = monotonic_ns()
        return ReadFrame(
            index=self._index,
            audio_sample=0,
            audio_ns=now_ns,
            publish_ns=now_ns,
            flags=NEUTRAL,
            rms_dbfs=_SILENCE_DBFS,
            f0_hz=0.0,
            landmarks=self._landmarks,
            blendshapes=np.zeros(_SHAPES, np.float32),
        )

    def close(self) -> None:
        """Closes the reader."""
        self._reader.close()

    def _without_writer(self) -> Optional[ReadFrame]:
        """A neutral frame, if one is due."""
        now_ns = monotonic_ns()
        if now_ns < self._next_neutral_ns:
            return None
        self._next_neutral_ns = now_ns + _NEUTRAL_NS
        return self.neutral()


class NewestFrames(Feed):
    """Each new frame, as soon as it is published: 25 a second."""

    def __init__(self, shm: str, neutral: np.ndarray) -> None:
        super().__init__(shm, neutral)
        self._seen = (0, 0)  # instance id, number of frames
        self._published_ns = 0
        self._intervals_ns: Deque[int] = deque([_SHORTEST_NS], maxlen=8)

    def next(self) -> Optional[ReadFrame]:
        """Looks again and again, but first after the shortest time that it took of late."""
        now_ns = monotonic_ns()
        end_ns = now_ns + _NEUTRAL_NS
        rest_ns = self._published_ns + min(self._intervals_ns) - _EARLY_NS - now_ns
        time.sleep(max(0, rest_ns) / SECOND_NS)
        while monotonic_ns() < end_ns:
            header = self._reader.header()
            if header is None:
                frame = self._without_writer()
            elif (header["instance_id"], header["latest"]) == self._seen:
                frame = None
            else:
                frame = self._see(self._reader.read(), header["instance_id"])
            if frame is not None:
                return frame
            soon = monotonic_ns() - self._published_ns < _SOON_NS
            time.sleep(_POLL_S if soon else _SLOW_POLL_S)
        return None

    def _see(self, frame: Optional[ReadFrame], instance_id: int) -> Optional[ReadFrame]:
        """Notes when a frame, if there is one, was published; returns it."""
        if frame is not None:
            interval_ns = frame.publish_ns - self._published_ns
            self._intervals_ns.append(max(_SHORTEST_NS, min(interval_ns, FRAME_MS * MS_NS)))
            self._published_ns = min(frame.publish_ns, monotonic_ns())
            self._seen = (instance_id, frame.index + 1)
            self._index = frame.index
        return frame


class SteadyFrames(Feed):
    """Faces at even times, interpolated between frames, which costs the time of one frame.

    :param fps: faces a second
    """

    def __init__(self, shm: str, neutral: np.ndarray, fps: int) -> None:
        super().__init__(shm, neutral)
        self._period_ns = SECOND_NS // fps
        self._next_ns = monotonic_ns()

    def next(self) -> Optional[ReadFrame]:
        """Waits for the next time."""
        now_ns = monotonic_ns()
        time.sleep(max(0, self._next_ns - now_ns) / SECOND_NS)
        self._next_ns = max(self._next_ns, now_ns) + self._period_ns
        frame = self._reader.read_at(monotonic_ns())
        if frame is not None:
            self._index = frame.index
            return frame
        return None if self._reader.alive else self._without_writer()


def feed(shm: str, fps: int, neutral: np.ndarray) -> Feed:
    """The frames of a segment, so many a second."""
    if fps == FRAME_RATE_HZ:
        return NewestFrames(shm, neutral)
    return SteadyFrames(shm, neutral, fps)
