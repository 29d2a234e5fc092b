"""Keeps the sound that is heard at the time at which it is meant to be heard."""

import logging
import threading

from ..core.errors import UnavailableError
from ..core.rates import SAMPLE_RATE_HZ
from .resample import VariableResampler

_LOG = logging.getLogger(__name__)
_GAIN_PER_S = 0.5  # 500 ppm between the clocks leave an error of 1 ms
_MOST = 0.002  # change of speed: 3.5 cents
_JUMP_S = 0.02
_PAUSE_S = 1.0  # between attempts to open a lost device


class Player:
    """Plays samples at given times on a device whose clock is its own.

    The error between where a sample is and where it belongs bends the resampling
    ratio; one of more than 20 ms, as after a pause, is a jump.

    :param output: an `output.Output`, not opened
    :param delay_ns: how much later than it was captured sound is heard
    """

    def __init__(self, output, delay_ns):
        self._output, self._delay_ns = output, delay_ns
        self._resampler = VariableResampler()
        self._next = None  # position of the next sample
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._told = False
        self.jumps = self.late_samples = 0
        self.error_s = 0.0

    def open(self):
        """Opens the device, waiting for it in a thread if it is not there."""
        threading.Thread(target=self._open, name="edgeface-playback", daemon=True).start()

    def _open(self):
        while not self._stopping.is_set():
            try:
                self._output.open()
            except UnavailableError as error:
                if not self._told:
                    _LOG.warning("%s; waiting for it", error, extra={"event": "playback_lost"})
                self._told = True
                self._stopping.wait(_PAUSE_S)
                continue
            if self._told:
                _LOG.warning(
                    "playback %s: back", self._output.name, extra={"event": "playback_back"}
                )
                self._told = False
            self._next = None
            self._ready.set()
            if self._stopping.is_set():
                self._output.close()
            return

    def play(self, block):
        """Takes a `source.block.Block`; what cannot be played is dropped."""
        if not self._ready.is_set():
            return
        if self._output.lost:
            self._ready.clear()
            threading.Thread(target=self._reopen, name="edgeface-playback", daemon=True).start()
            return
        rate = self._output.rate_hz
        wanted = self._wanted(block)
        if wanted is None:
            return
        if self._next is None or abs(wanted - self._next) > _JUMP_S * rate:
            self._resampler.reset()
            wanted = self._wanted(block)
            self._next = round(wanted)
            self.jumps += 1
        self.error_s = (wanted - self._next) / rate
        bend = max(-_MOST, min(_MOST, _GAIN_PER_S * self.error_s))
        played = self._resampler.accept(block.samples, rate / SAMPLE_RATE_HZ * (1.0 + bend))
        self.late_samples += self._output.write(self._next, played)
        self._next += len(played)

    def _wanted(self, block):
        """Where the resampler's next sample belongs."""
        behind_ns = int(self._resampler.behind * 1e9 / SAMPLE_RATE_HZ)
        return self._output.position_at(block.audio_ns + self._delay_ns - behind_ns)

    def _reopen(self):
        self._output.close()
        self._open()

    def close(self):
        """Stops."""
        self._stopping.set()
        self._output.close()
