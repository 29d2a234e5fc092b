"""Raw sound from a descriptor: signed 16-bit little-endian, mono, 16 kHz."""

import array
import fcntl
import os
import select
import termios

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import SAMPLE_RATE_HZ
from ..devices.sample_clock import SampleClock
from .block import EMPTY, Block
from .pace import Pace

_BLOCK_BYTES = 2 * SAMPLE_RATE_HZ // 100
# a writer whose sound never piled up for so long is itself in real time, such as a recorder
_LIVE_AFTER, _PILED_UP = 2 * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 4
_STALE = 3 * SAMPLE_RATE_HZ // 10  # more of a real-time writer's sound has waited too long
_KEEP = SAMPLE_RATE_HZ // 20
_CATCH_UP = 1.002  # twice what the crystals of two sound cards can differ
_SLACK_NS = 100 * 1000 * 1000


class PipeSource:
    """Reads a pipe at most as fast as real time, so that a writer that is faster waits.

    Of a writer that is in real time itself, a clock that runs faster than ours is
    followed, and sound that piled up while this process was held up is dropped,
    the oldest first, and counted.

    :param file: descriptor
    :param fast: as fast as the pipe delivers
    """

    live = False
    playback = False
    name = "-"

    def __init__(self, file=0, fast=False):
        self._fast = fast
        self.pauses = not fast
        self.attach(file)

    def attach(self, file):
        """Starts anew with this descriptor."""
        self._file = file
        self._rest = b""
        self._restart()

    def _restart(self):
        """Times anew what comes next."""
        self._pace = Pace(self._fast, _SLACK_NS)
        self._clock = SampleClock(SAMPLE_RATE_HZ)
        self._position = 0
        self._steady = 0  # samples since the writer began or piled up sound

    def open(self):
        """Nothing to do: the pipe is open."""

    def close(self):
        """Leaves the pipe open: it belongs to the caller."""

    def read(self, timeout_s):
        """The next `Block`, an empty one after `timeout_s` without sound, or None at the end."""
        ready, _, _ = select.select([self._file], [], [], timeout_s)
        if not ready:
            self._restart()
            return EMPTY
        lost, speed = (0, 1.0) if self._fast else self._keep_up()
        data = os.read(self._file, _BLOCK_BYTES)
        if not data:
            return None
        samples = self._samples(data)
        self._pace.due(len(samples), speed)
        self._position += lost + len(samples)
        now = monotonic_ns()
        self._clock.update(self._position, now)
        return Block(
            samples, self._clock.ns(self._position - len(samples)), lost, playback=self.playback
        )

    def _samples(self, data):
        data = self._rest + data
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        return np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768.0

    def _keep_up(self):
        """Drops what a real-time writer's pipe holds too much of; (samples dropped, speed to read at)."""
        waiting = array.array("i", [0])
        try:
            fcntl.ioctl(self._file, termios.FIONREAD, waiting)
        except OSError:
            return 0, 1.0  # a device such as /dev/null, in which nothing piles up
        waiting = waiting[0] // 2
        live = self._steady >= _LIVE_AFTER
        if waiting > _PILED_UP and not live:
            self._steady = 0
        else:
            self._steady += _BLOCK_BYTES // 2
        if not live:
            return 0, 1.0
        lost = 0
        if waiting > _STALE:
            lost = len(self._samples(os.read(self._file, 2 * (waiting - _KEEP))))
        return lost, _CATCH_UP if waiting > _BLOCK_BYTES else 1.0
