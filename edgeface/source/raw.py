"""Raw sound, or WAV, from a file descriptor."""

import contextlib
import fcntl
import os
import select
import time
from typing import Optional, Tuple

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import HOP_SAMPLES, MS_NS, SAMPLE_RATE_HZ
from ..devices.sample_clock import SampleClock
from .base import BLOCK_SAMPLES, EMPTY, Block
from .carried import CarriedSound
from .pace import Pace
from .pcm import Pcm
from .writers import Writers, waiting_bytes

# a writer whose sound never piled up for so long is itself in real time, such as a recorder
_REAL_TIME_AFTER_SAMPLES = 2 * SAMPLE_RATE_HZ
_PILED_UP_SAMPLES = SAMPLE_RATE_HZ // 4
# more of a real-time writer's sound has waited too long: only the newest is kept
_STALE_SAMPLES = 3 * SAMPLE_RATE_HZ // 10
_KEPT_SAMPLES = SAMPLE_RATE_HZ // 20
_CATCH_UP_SPEED = 1.002  # twice the difference between the crystals of two sound cards
_SLACK_NS = 100 * MS_NS
_PAUSE_NS = 50 * MS_NS  # after so long the resampler's last samples come out
_REFUSED_BYTES = 65536  # passed over at once
_F_SETPIPE_SZ = 1031  # fcntl has it since Python 3.10
_PIPE_BYTES = 65536  # what a pipe holds by itself
_MOST_PIPE_BYTES = 1 << 20  # what everybody may have


class RawReader:
    """Reads at most as fast as real time, so that a writer that is faster waits.

    If the writer is in real time itself, a clock of its own that runs faster than ours is
    followed, and sound that piled up while this process was held up is dropped, the oldest
    first, and counted.

    :param file: descriptor; closing it is up to the caller
    :param fast: read as fast as the writer delivers
    :param playback: how the blocks are flagged
    :param writers: of a pipe whose writers come and go: where the sound of one ends, nobody
        completes half a sample
    :param name: how messages name it
    :param pcm: what raw sound is
    """

    def __init__(
        self,
        file: int,
        fast: bool = False,
        playback: bool = False,
        writers: Optional[Writers] = None,
        name: str = "-",
        pcm: Pcm = Pcm(),
    ) -> None:
        self._writers = writers
        self._listen_to(file)
        self._fast = fast
        self._playback = playback
        self._sound = CarriedSound(name, pcm)
        self._ready = EMPTY.samples  # resampled, and not delivered yet
        self._read_ns = 0  # when bytes were read last
        self._lost_samples = 0  # before what is ready
        self._restart_clock()

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Optional[Block]:
        """The next `Block`, `EMPTY` after `timeout_s` without sound, or None at the end.

        With many writers, the end is that of the last one.

        :raises DataError: the sound is encoded; what the writer sends is passed over then
        """
        wait_ms = 1000 * timeout_s
        until_s = time.monotonic() + timeout_s
        while not len(self._ready):  # the resampler delivers in lumps
            ready = dict(self._poll.poll(wait_ms))
            if self._writers is not None:
                self._writers.look()
                if self._writers.take(0):
                    self._ready = self._sound.finish()
                    continue
            if self._file not in ready:
                if ready:  # writers have come or gone
                    wait_ms = max(0.0, 1000 * (until_s - time.monotonic()))
                    continue
                return self._pause(samples) if wait_ms else EMPTY
            lost_samples, self._speed = (0, 1.0) if self._fast else self._keep_up(samples)
            self._lost_samples += lost_samples
            wanted = _REFUSED_BYTES if self._sound.refused else self._bytes_of(samples)
            data = os.read(self._file, self._most(wanted))
            self._ready = self._take(data) if data else self._sound.finish()
            if not data and not len(self._ready):
                return None
            wait_ms = 0.0
        return self._next_block(samples)

    def follow(self, file: int) -> None:
        """Goes on with another descriptor, of the writers that come next."""
        if self._writers is not None:
            self._writers.follow(file)
        self._listen_to(file)
        self._restart_clock()

    def _listen_to(self, file: int) -> None:
        self._file = file
        self._poll = select.poll()
        self._poll.register(file, select.POLLIN)
        if self._writers is not None:
            self._writers.register(self._poll)

    def _bytes_of(self, samples: int) -> int:
        return -(-samples * self._pcm.rate_hz // SAMPLE_RATE_HZ) * self._pcm.frame_bytes

    def _restart_clock(self) -> None:
        """What comes next is timed from when it comes."""
        self._pace = Pace(self._fast, _SLACK_NS)
        self._clock = SampleClock(SAMPLE_RATE_HZ)
        self._position = 0  # of the next sample, but for those that are lost
        self._steady_samples = 0  # since the writer began or its sound piled up
        self._speed = 1.0  # to read at
        self._pcm = self._sound.pcm
        # by half a second that waits, a writer that is faster is recognised
        wanted_bytes = self._pcm.rate_hz * self._pcm.frame_bytes // 2
        if wanted_bytes > _PIPE_BYTES:
            with contextlib.suppress(OSError):  # no pipe, or more than a user may have
                fcntl.fcntl(self._file, _F_SETPIPE_SZ, min(wanted_bytes, _MOST_PIPE_BYTES))

    def _pause(self, samples: int) -> Block:
        """Nothing came: what the resampler holds back, when that is no jitter any more."""
        if self._position or self._steady_samples:
            self._restart_clock()
        if monotonic_ns() - self._read_ns > _PAUSE_NS:
            self._ready = self._sound.rest()
        return self._next_block(samples) if len(self._ready) else EMPTY

    def _take(self, data: bytes) -> np.ndarray:
        """What can be resampled by now, float32 [n], 16 kHz."""
        self._read_ns = monotonic_ns()
        unsure, ended = 0, False
        if self._writers is not None:
            unsure = self._writers.unsure
            ended = self._writers.take(len(data))
        rest = EMPTY.samples
        if unsure:
            samples = self._sound.change(data, self._bytes_of(HOP_SAMPLES))  # what is read at once
        else:
            try:
                samples = self._sound.accept(data)
            finally:
                if ended:  # the next writer begins anew
                    rest = self._sound.finish()
        if len(rest):
            samples = np.concatenate((samples, rest))
        if self._sound.pcm != self._pcm:
            self._restart_clock()
        return samples

    def _next_block(self, samples: int) -> Block:
        """So much of what is ready, or what there is, in real time."""
        sound = self._ready[:samples]
        self._ready = self._ready[samples:]
        self._pace.wait(len(sound), self._speed)
        first = self._position + self._lost_samples
        self._position = first + len(sound)
        self._clock.update(self._position, monotonic_ns())
        block = Block(sound, self._clock.ns(first), self._lost_samples, playback=self._playback)
        self._lost_samples = 0
        return block

    def _keep_up(self, samples: int) -> Tuple[int, float]:
        """Drops what has waited too long in the pipe of a writer that is in real time.

        :param samples: that are read next
        :return: (samples dropped, speed to read at)
        """
        waiting = waiting_bytes(self._file) // self._pcm.frame_bytes
        waiting_samples = waiting * SAMPLE_RATE_HZ // self._pcm.rate_hz
        steady = min(samples, waiting_samples)
        real_time = self._steady_samples >= _REAL_TIME_AFTER_SAMPLES
        if not real_time:
            piled_up = waiting_samples > _PILED_UP_SAMPLES
            self._steady_samples = 0 if piled_up else self._steady_samples + steady
            return 0, 1.0
        self._steady_samples += steady
        lost_samples = 0
        if waiting_samples > _STALE_SAMPLES:
            kept = _KEPT_SAMPLES * self._pcm.rate_hz // SAMPLE_RATE_HZ
            stale_bytes = self._pcm.frame_bytes * (waiting - kept)
            stale = os.read(self._file, self._most(stale_bytes))
            lost_samples = len(self._take(stale))
        return lost_samples, _CATCH_UP_SPEED if waiting_samples > 2 * BLOCK_SAMPLES else 1.0

    def _most(self, count: int) -> int:
        """So many bytes, or as many as may be read at once where the writer changes before."""
        return count if self._writers is None else self._writers.most(count)
