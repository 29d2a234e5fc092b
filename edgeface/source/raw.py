"""Raw sound from a file descriptor: signed 16-bit little-endian, mono, 16 kHz."""

import array
import fcntl
import os
import select
import termios
from typing import Optional, Tuple

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SAMPLE_RATE_HZ
from ..devices.sample_clock import SampleClock
from .base import EMPTY, Block
from .pace import Pace

_SAMPLE_BYTES = 2
_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 100
# a writer whose sound never piled up for so long is itself in real time, such as a recorder
_REAL_TIME_AFTER_SAMPLES = 2 * SAMPLE_RATE_HZ
_PILED_UP_SAMPLES = SAMPLE_RATE_HZ // 4
# more of a real-time writer's sound has waited too long: only the newest is kept
_STALE_SAMPLES = 3 * SAMPLE_RATE_HZ // 10
_KEPT_SAMPLES = SAMPLE_RATE_HZ // 20
_CATCH_UP_SPEED = 1.002  # twice the difference between the crystals of two sound cards
_SLACK_NS = 100 * MS_NS


class RawReader:
    """Reads at most as fast as real time, so that a writer that is faster waits.

    If the writer is in real time itself, a clock of its own that runs faster than ours is
    followed, and sound that piled up while this process was held up is dropped, the oldest
    first, and counted.

    :param file: descriptor; closing it is up to the caller
    :param fast: read as fast as the writer delivers
    :param playback: how the blocks are flagged
    :param many_writers: writers come and go: where the sound of one ends, nobody completes
        half a sample
    """

    def __init__(
        self, file: int, fast: bool = False, playback: bool = False, many_writers: bool = False
    ) -> None:
        self._file = file
        self._fast = fast
        self._playback = playback
        self._many_writers = many_writers
        self._half_sample = b""
        self._last_bytes: Optional[int] = None  # to come of writers that are gone, if so
        self._position = 0  # of the next sample
        self._restart_clock()

    def read(self, timeout_s: float) -> Optional[Block]:
        """The next `Block`, `EMPTY` after `timeout_s` without sound, or None at the end.

        With many writers, the end is that of the last one.
        """
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        ready = poll.poll(1000 * timeout_s)
        if not ready:
            self._restart_clock()
            return EMPTY
        if self._many_writers and ready[0][1] & select.POLLHUP:
            last_bytes = self._waiting_bytes()
            if poll.poll(0)[0][1] & select.POLLHUP:  # no writer has come meanwhile
                self._last_bytes = last_bytes
        lost_samples, speed = (0, 1.0) if self._fast else self._keep_up()
        data = os.read(self._file, self._until_end(_SAMPLE_BYTES * _BLOCK_SAMPLES))
        if not data:
            self._half_sample = b""
            self._last_bytes = None
            return None
        samples = self._samples_of(data)
        self._pace.wait(len(samples), speed)
        first = self._position + lost_samples
        self._position = first + len(samples)
        self._clock.update(self._position, monotonic_ns())
        return Block(samples, self._clock.ns(first), lost_samples, playback=self._playback)

    def follow(self, file: int) -> None:
        """Goes on with another descriptor, of the writers that come next."""
        self._file = file
        self._restart_clock()

    def _restart_clock(self) -> None:
        """What comes next is timed from when it comes."""
        self._pace = Pace(self._fast, _SLACK_NS)
        self._clock = SampleClock(SAMPLE_RATE_HZ)
        self._position = 0
        self._steady_samples = 0  # since the writer began or its sound piled up

    def _samples_of(self, data: bytes) -> np.ndarray:
        if self._last_bytes is not None:
            self._last_bytes -= len(data)
        data = self._half_sample + data
        whole = len(data) // _SAMPLE_BYTES * _SAMPLE_BYTES
        self._half_sample = data[whole:]
        if self._last_bytes == 0:  # the next writer begins with a whole sample
            self._half_sample = b""
            self._last_bytes = None
        return np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768.0

    def _keep_up(self) -> Tuple[int, float]:
        """Drops what has waited too long in the pipe of a writer that is in real time.

        :return: (samples dropped, speed to read at)
        """
        waiting = self._waiting_bytes() // _SAMPLE_BYTES
        real_time = self._steady_samples >= _REAL_TIME_AFTER_SAMPLES
        if not real_time:
            piled_up = waiting > _PILED_UP_SAMPLES
            self._steady_samples = 0 if piled_up else self._steady_samples + _BLOCK_SAMPLES
            return 0, 1.0
        self._steady_samples += _BLOCK_SAMPLES
        lost_samples = 0
        if waiting > _STALE_SAMPLES:
            stale_bytes = _SAMPLE_BYTES * (waiting - _KEPT_SAMPLES)
            stale = os.read(self._file, self._until_end(stale_bytes))
            lost_samples = len(self._samples_of(stale))
        return lost_samples, _CATCH_UP_SPEED if waiting > 2 * _BLOCK_SAMPLES else 1.0

    def _until_end(self, count: int) -> int:
        """So many bytes, or fewer where the sound of writers that are gone ends before."""
        return min(count, self._last_bytes) if self._last_bytes else count

    def _waiting_bytes(self) -> int:
        """How many bytes can be read now."""
        waiting = array.array("i", [0])
        try:
            fcntl.ioctl(self._file, termios.FIONREAD, waiting)
        except OSError:
            return 0  # a device such as /dev/null, in which nothing piles up
        return waiting[0]
