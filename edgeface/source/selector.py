"""Several sources in order of priority: while the voice plays, the microphone is ignored."""

import logging
import time
from typing import List, Optional, Sequence

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SAMPLE_NS, SAMPLE_RATE_HZ, SECOND_NS
from .base import EMPTY, Block, Source
from .flow import Flow
from .supervisor import Supervisor

_LOG = logging.getLogger(__name__)
SOUND_PEAK = 1e-3  # -60 dBFS; a sink's monitor delivers zeros while nothing plays
_TURN_S = 0.01  # how long one source is waited for while others may begin
_SILENT_SAMPLES = SAMPLE_RATE_HZ // 100
_IDLE_NS = 60 * MS_NS  # a writer that pauses for so long is silent
_BACKFILL_NS = 100 * MS_NS
_QUIET_NS = 60 * SECOND_NS  # a source that is slow now and then is reported so often


class Selector(Source):
    """Merges live sources into one stream that never ends or stands still.

    The first source that plays is active, and stays so until `hold_s` after its last sound;
    the last source is active while no other plays. If the active source is lost, pauses or
    delivers less than real time, silence takes its place in real time, flagged `neutral`.

    :param sources: the one with the highest priority first; a file stands alone
    :param hold_s: how long a voice may pause and stay active
    """

    def __init__(self, sources: Sequence[Supervisor], hold_s: float = 0.5) -> None:
        super().__init__("")
        self.live = all(source.live for source in sources)
        self._sources = list(sources)
        self._hold_ns = int(hold_s * SECOND_NS)
        self._plays_until_ns = [0] * len(self._sources)
        self._active = len(self._sources) - 1
        self._switched = False
        self._silent = False
        self._end_ns: Optional[int] = None  # of what was delivered last
        self._delivered_ns = monotonic_ns()  # when sound was delivered last
        self._flow = Flow(self._delivered_ns)
        self._slow_reported_ns: Optional[int] = None

    @property
    def name(self) -> str:
        """Name of the active source."""
        return self._sources[self._active].name

    @property
    def waiting(self) -> bool:
        """Whether the active source is lost."""
        return self._sources[self._active].waiting

    @property
    def slow(self) -> bool:
        """Whether the active source delivers less than real time."""
        return self._flow.slow

    @property
    def restarts(self) -> int:
        """How often sources came back."""
        return sum(source.restarts for source in self._sources)

    def open(self, required: bool = False) -> None:
        """Opens all sources; `required` as for `Supervisor.open`."""
        for source in self._sources:
            source.open(required)

    def read(self, timeout_s: float) -> Optional[Block]:
        """The next block, silence where there is no sound, or None at the end of a file.

        Empty where sound is late, but not yet so late that it counts as silence.
        """
        block = self._read_active(timeout_s)
        if block is None:
            return None
        if len(block.samples):
            if self._switched:
                self._switched = False
                self._flow = Flow(monotonic_ns())
                block = block._replace(gap=True)
            self._end_ns = block.end_ns
            self._delivered_ns = monotonic_ns()
            self._flow.sound(len(block.samples), self._delivered_ns)
            self._report_slow()
            self._silent = False
            return block
        source = self._sources[self._active]
        was_silent = self._silent
        now = monotonic_ns()
        pausing = source.pauses and now - self._delivered_ns > _IDLE_NS
        self._silent = source.waiting or pausing
        if not self._silent:
            return self._fill(now) if source.pauses and self._flow.is_late(now) else block
        return self._silence(gap=source.waiting and not was_silent)

    def close(self) -> None:
        """Closes all sources."""
        for source in self._sources:
            source.close()

    def _read_active(self, timeout_s: float) -> Optional[Block]:
        """Reads every source once; the block of the one that is active then."""
        blocks: List[Optional[Block]] = [EMPTY] * len(self._sources)
        for i in range(len(self._sources)):
            if i != self._active:
                blocks[i] = self._read_one(i, 0.0)
        pauses = self._sources[self._active].pauses
        if self._silent or (pauses and self._flow.is_late(monotonic_ns())):
            timeout_s = 0.0  # the silence takes its time, or has no time
        elif pauses or len(self._sources) > 1:
            timeout_s = min(timeout_s, _TURN_S)
        blocks[self._active] = self._read_one(self._active, timeout_s)
        now = monotonic_ns()
        playing = [i for i, until_ns in enumerate(self._plays_until_ns) if until_ns > now]
        active = min(playing + [len(self._sources) - 1])
        if active != self._active:
            self._active = active
            self._switched = True
        return blocks[active]

    def _read_one(self, i: int, timeout_s: float) -> Optional[Block]:
        """Reads a source, and notes whether it plays."""
        block = self._sources[i].read(timeout_s)
        is_voice = i < len(self._sources) - 1  # the last one is active when no voice plays
        if is_voice and block is not None and _is_sound(block):
            self._plays_until_ns[i] = monotonic_ns() + self._hold_ns
        return block

    def _report_slow(self) -> None:
        """One event when a source begins to deliver too little."""
        now = monotonic_ns()
        if not self._flow.slow:
            return
        if self._slow_reported_ns is None or now - self._slow_reported_ns > _QUIET_NS:
            text = f"{self.name}: delivers less than real time; silence fills the gaps"
            _LOG.warning("%s", text, extra={"event": "source_slow"})
        self._slow_reported_ns = now

    def _fill(self, now: int) -> Block:
        """Silence at once, where a source that goes on delivers too little."""
        self._flow.silence(_SILENT_SAMPLES, now)
        first_ns = now - _SILENT_SAMPLES * SAMPLE_NS
        return Block(np.zeros(_SILENT_SAMPLES, np.float32), first_ns, neutral=True)

    def _silence(self, gap: bool) -> Block:
        """A block of silence, as long as it takes."""
        now = monotonic_ns()
        first_ns = now
        if self._end_ns is not None and self._end_ns > now - _BACKFILL_NS:
            first_ns = self._end_ns
        self._end_ns = first_ns + _SILENT_SAMPLES * SAMPLE_NS
        if self._end_ns > now:
            time.sleep((self._end_ns - now) / SECOND_NS)
        self._flow.pause(_SILENT_SAMPLES, monotonic_ns())
        return Block(np.zeros(_SILENT_SAMPLES, np.float32), first_ns, gap=gap, neutral=True)


def _is_sound(block: Block) -> bool:
    """Whether there is anything but silence in it."""
    return len(block.samples) > 0 and bool(np.abs(block.samples).max() > SOUND_PEAK)
