"""Plays sound at the time at which it is meant to be heard."""

import logging
import threading
from typing import Optional

import numpy as np

from ..core.errors import UnavailableError
from ..core.memory import return_memory
from ..core.rates import MS_NS, SAMPLE_NS, SAMPLE_RATE_HZ
from .output import Output
from .resample import VariableResampler

_LOG = logging.getLogger(__name__)
_GAIN_PER_S = 0.5  # 500 ppm between the clocks leave an error of 1 ms
_MOST_BEND = 0.002  # change of speed: 3.5 cents
_JUMP_S = 0.02
_PAUSE_S = 0.2  # between attempts to open a lost device
_MARGIN_NS = 30 * MS_NS  # what a device takes ahead


class Player:
    """Plays samples at given times on a device that has a clock of its own.

    `longest_block`: samples of a block that is there, whole, before its first one is to be heard.

    The error between where a sample is and where it belongs bends the resampling ratio; an
    error of more than 20 ms, as after a pause, is a jump.

    :param output: closed
    :param delay_ns: how much later than it was captured sound is heard
    """

    def __init__(self, output: Output, delay_ns: int) -> None:
        self.jumps = 0
        self.longest_block = max(0, delay_ns - _MARGIN_NS) // SAMPLE_NS
        self._output = output
        self._delay_ns = delay_ns
        self._resampler = VariableResampler()
        self._next: Optional[int] = None  # position of the next sample
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._reported = False  # that the device is lost

    def open(self) -> None:
        """Opens the device in a thread, which waits for it if it is unavailable."""
        threading.Thread(target=self._open, name="edgeface-playback", daemon=True).start()

    def play(self, samples: np.ndarray, audio_ns: int) -> None:
        """Plays sound; what cannot be played is dropped.

        :param samples: float32 [n], 16 kHz mono
        :param audio_ns: when the first of them was captured, CLOCK_MONOTONIC in ns
        """
        if not self._ready.is_set():
            return
        if self._output.stopped:
            self._ready.clear()
            threading.Thread(target=self._reopen, name="edgeface-playback", daemon=True).start()
            return
        rate_hz = self._output.rate_hz
        wanted = self._wanted(audio_ns)
        if wanted is None:
            return
        if self._next is None or abs(wanted - self._next) > _JUMP_S * rate_hz:
            self._resampler.reset()
            wanted = self._wanted(audio_ns)
            assert wanted is not None
            self._next = round(wanted)
            self.jumps += 1
        error_s = (wanted - self._next) / rate_hz
        bend = max(-_MOST_BEND, min(_MOST_BEND, _GAIN_PER_S * error_s))
        played = self._resampler.accept(samples, rate_hz / SAMPLE_RATE_HZ * (1.0 + bend))
        self._output.write(self._next, played)
        self._next += len(played)

    def close(self) -> None:
        """Stops."""
        self._stopping.set()
        self._output.close()

    def _wanted(self, audio_ns: int) -> Optional[float]:
        """The position at which the resampler's next sample belongs."""
        behind_ns = int(self._resampler.behind * SAMPLE_NS)
        return self._output.position_at(audio_ns + self._delay_ns - behind_ns)

    def _open(self) -> None:
        while not self._stopping.is_set():
            try:
                self._output.open()
            except UnavailableError as error:
                if not self._reported:
                    _LOG.warning("%s; waiting for it", error, extra={"event": "playback_lost"})
                self._reported = True
                self._stopping.wait(_PAUSE_S)
                continue
            if self._reported:
                _LOG.warning(
                    "playback %s: back", self._output.name, extra={"event": "playback_back"}
                )
                self._reported = False
            self._next = None
            self._ready.set()
            if self._stopping.is_set():
                self._output.close()
            return

    def _reopen(self) -> None:
        self._output.close()
        return_memory()
        self._open()
