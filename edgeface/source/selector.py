"""Several sources in order of priority: while the voice plays, the microphone is ignored."""

import time

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import SAMPLE_RATE_HZ
from .block import Block

SOUND_PEAK = 1e-3  # -60 dBFS; a sink's monitor delivers zeros while nothing plays
_TURN_S = 0.01  # how long one source is waited for while others may begin
_SILENT_BLOCK = SAMPLE_RATE_HZ // 100
_SILENT_BLOCK_NS = 10 * 1000 * 1000
_IDLE_NS = 60 * 1000 * 1000  # a writer that pauses for so long is silent
_BACKFILL_NS = 100 * 1000 * 1000


class Selector:
    """Reads all sources and delivers one stream that never ends or stands still while they are live.

    The first source that plays has the word, and keeps it until `hold_s` after
    its last sound; the last source is heard while no other plays. A source that
    is away or pauses is replaced by silence in real time, flagged `neutral`.

    :param sources: `supervisor.Supervisor`s, the most important first
    :param hold_s: seconds a pause of a voice may last
    """

    def __init__(self, sources, hold_s=0.5):
        self._sources, self._hold_ns = list(sources), int(hold_s * 1e9)
        self._until_ns = [0] * len(self._sources)  # a source plays until then
        self._selected = len(self._sources) - 1
        self._switched = self._silent = False
        self._end_ns = None  # of what was delivered last
        self._heard_ns = monotonic_ns()  # when sound was delivered last

    @property
    def waiting(self):
        """Whether the source that has the word is away."""
        return self._sources[self._selected].away

    @property
    def restarts(self):
        """How often sources came back."""
        return sum(source.restarts for source in self._sources)

    @property
    def name(self):
        """Of the source that has the word."""
        return self._sources[self._selected].name

    def open(self, demanded=False):
        """Opens all sources; with `demanded` as `Supervisor.open`."""
        for source in self._sources:
            source.open(demanded)

    def read(self, timeout_s):
        """The next `Block`, silence where there is no sound, or None at the end of a file.

        Empty where sound is late, but not yet so late that it counts as silence.
        """
        block = self._select(timeout_s)
        if block is None:
            return None
        if len(block.samples):
            if self._switched:
                block, self._switched = block._replace(gap=True), False
            self._end_ns = block.audio_ns + len(block.samples) * 1000000000 // SAMPLE_RATE_HZ
            self._heard_ns, self._silent = monotonic_ns(), False
            return block
        source, before = self._sources[self._selected], self._silent
        self._silent = source.away or (source.pauses and monotonic_ns() - self._heard_ns > _IDLE_NS)
        return self._silence(gap=source.away and not before) if self._silent else block

    def close(self):
        """Closes all sources."""
        for source in self._sources:
            source.close()

    def _select(self, timeout_s):
        """Reads every source once; the block of the one that has the word now."""
        blocks = [None] * len(self._sources)
        for i, source in enumerate(self._sources):
            if i != self._selected:
                blocks[i] = source.read(0.0)
                self._listen(i, blocks[i])
        source = self._sources[self._selected]
        if self._silent:
            timeout_s = 0.0  # the silence takes its time
        elif source.pauses or len(self._sources) > 1:
            timeout_s = min(timeout_s, _TURN_S)
        blocks[self._selected] = source.read(timeout_s)
        self._listen(self._selected, blocks[self._selected])
        now = monotonic_ns()
        playing = [i for i, until_ns in enumerate(self._until_ns) if until_ns > now]
        chosen = min(playing + [len(self._sources) - 1])
        if chosen != self._selected:
            self._selected, self._switched = chosen, True
        return blocks[chosen]

    def _listen(self, i, block):
        if (
            i < len(self._sources) - 1
            and len(block.samples)
            and np.abs(block.samples).max() > SOUND_PEAK
        ):
            self._until_ns[i] = monotonic_ns() + self._hold_ns

    def _silence(self, gap):
        now = monotonic_ns()
        first = (
            self._end_ns if self._end_ns is not None and self._end_ns > now - _BACKFILL_NS else now
        )
        self._end_ns = first + _SILENT_BLOCK_NS
        if self._end_ns > now:
            time.sleep((self._end_ns - now) / 1e9)
        return Block(np.zeros(_SILENT_BLOCK, np.float32), first, 0, gap=gap, neutral=True)
