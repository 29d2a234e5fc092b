"""Several sources in order of priority: while the voice plays, the microphone is ignored."""

import logging
from typing import List, Optional, Sequence

import numpy as np

from ..core.clock import monotonic_ns
from ..core.rates import MS_NS, SAMPLE_NS, SECOND_NS
from .base import BLOCK_SAMPLES, EMPTY, Block, Source
from .flow import Flow
from .supervisor import Supervisor

_LOG = logging.getLogger(__name__)
SOUND_PEAK = 1e-3  # -60 dBFS; a sink's monitor delivers zeros while nothing plays
_TURN_S = 0.01  # how long one source is waited for while others may begin
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
        self._alone = len(self._sources) == 1
        self._hold_ns = int(hold_s * SECOND_NS)
        self._plays_until_ns = [0] * len(self._sources)
        self._active = len(self._sources) - 1
        self._switched = False
        self._silent = False
        self._held: List[Optional[Block]] = []  # what came after the silence before it
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

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Optional[Block]:
        """The next block, silence where there is no sound, or None at the end of a file.

        Empty where sound is late, but not yet so late that it counts as silence. Several sources
        are looked at every 10 ms, whatever is wanted.
        """
        was_silent = self._silent
        if self._held:
            block = self._held.pop()
        elif was_silent:
            block = EMPTY  # whatever comes ends the silence
        else:
            wanted = samples if self._alone else min(samples, BLOCK_SAMPLES)
            block = self._read_active(self._patience_s(timeout_s), wanted)
        if block is None:
            return None
        if len(block.samples):
            return self._deliver(block)
        source = self._sources[self._active]
        now = monotonic_ns()
        pausing = source.pauses and now - self._delivered_ns > _IDLE_NS
        self._silent = source.waiting or pausing
        if self._silent:
            return self._silence(samples, gap=source.waiting and not was_silent)
        return self._fill(now) if source.pauses and self._flow.is_late(now) else block

    def close(self) -> None:
        """Closes all sources."""
        for source in self._sources:
            source.close()

    def _deliver(self, block: Block) -> Block:
        """A block of sound, with what is to be said about it."""
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

    def _patience_s(self, timeout_s: float) -> float:
        """How long the active source is waited for, while there is sound."""
        pauses = self._sources[self._active].pauses
        now = monotonic_ns()
        if pauses and self._flow.is_late(now):
            return 0.0  # the silence that takes its place has no time
        if not self._alone:
            return min(timeout_s, _TURN_S)
        if pauses:
            return min(timeout_s, max(_TURN_S, (self._flow.late_ns - now) / SECOND_NS))
        return timeout_s

    def _read_active(self, timeout_s: float, samples: int) -> Optional[Block]:
        """Reads every source once; the block of the one that is active then."""
        blocks: List[Optional[Block]] = [EMPTY] * len(self._sources)
        for i in range(len(self._sources)):
            if i != self._active:
                blocks[i] = self._read_one(i, 0.0, samples)
        blocks[self._active] = self._read_one(self._active, timeout_s, samples)
        now = monotonic_ns()
        playing = [i for i, until_ns in enumerate(self._plays_until_ns) if until_ns > now]
        active = min(playing + [len(self._sources) - 1])
        if active != self._active:
            self._active = active
            self._switched = True
        return blocks[active]

    def _read_one(self, i: int, timeout_s: float, samples: int) -> Optional[Block]:
        """Reads a source, and notes whether it plays."""
        block = self._sources[i].read(timeout_s, samples)
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
        self._flow.silence(BLOCK_SAMPLES, now)
        first_ns = now - BLOCK_SAMPLES * SAMPLE_NS
        return Block(np.zeros(BLOCK_SAMPLES, np.float32), first_ns, neutral=True)

    def _silence(self, samples: int, gap: bool) -> Optional[Block]:
        """So much silence, in real time; what comes meanwhile cuts it short."""
        now = monotonic_ns()
        first_ns = now
        if self._end_ns is not None and self._end_ns > now - _BACKFILL_NS:
            first_ns = self._end_ns
        end_ns = first_ns + samples * SAMPLE_NS
        while now < end_ns and not self._held:
            timeout_s = (end_ns - now) / SECOND_NS
            if not self._alone:
                timeout_s = min(timeout_s, _TURN_S)
            # a short block, so that the first sound is not waited for
            block = self._read_active(timeout_s, BLOCK_SAMPLES)
            now = monotonic_ns()
            if block is None or len(block.samples):
                self._held.append(block)
                end_ns = min(end_ns, now if block is None else block.audio_ns)
        samples = max(0, end_ns - first_ns) // SAMPLE_NS
        self._end_ns = first_ns + samples * SAMPLE_NS
        self._flow.pause(samples, now)
        return Block(np.zeros(samples, np.float32), first_ns, gap=gap, neutral=True)


def _is_sound(block: Block) -> bool:
    """Whether there is anything but silence in it."""
    return len(block.samples) > 0 and bool(np.abs(block.samples).max() > SOUND_PEAK)
