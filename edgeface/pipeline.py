"""The pure streaming transform: samples in, face frames out.

No threads, files, clocks or devices. Files, daemon, benchmark and tests run this same
code; since it works in whole face frames of 640 samples, any chunking of the same
samples gives the same frames, bit for bit.
"""

from collections import deque
from typing import Callable, Deque, List, Optional

import numpy as np

from .core.rates import HOP_SAMPLES, MS_NS, frames_of_ms
from .features.f0 import F0
from .features.fbank import Fbank
from .features.level import level_dbfs
from .model.stepper import LEAD_SAMPLES, Stepper
from .motion import frame as frames
from .motion.blink import Blinker
from .motion.calibration import Calibration
from .motion.frame import Frame

_F0_PER_FRAME = 2
_F0_MAX_LAG = 2  # values of 20 ms


def _no_stage(_name: str) -> None:
    """Nobody wants to know how far a frame is."""


class Pipeline:
    """Streams samples through features and model.

    `calibration` is what is done to the faces, None for nothing; it may be replaced between two
    calls.

    :param stepper: a `model.stepper.Stepper`
    :param lookahead_ms: look-ahead of the stepper, a multiple of 40
    :param blink: whether the idle layer blinks
    :param blink_seed: seed of the moments at which it does
    :param stage: called with `features`, `encoder` and `motion` when that part of a frame is
        done
    """

    def __init__(
        self,
        stepper: Stepper,
        lookahead_ms: int,
        blink: bool = True,
        blink_seed: int = 0,
        stage: Optional[Callable[[str], None]] = None,
    ) -> None:
        self.lookahead_frames = frames_of_ms(lookahead_ms)
        # algorithmic latency: how much later than its audio's end a frame is known
        self.latency_ns = lookahead_ms * MS_NS
        self.stage = stage or _no_stage
        self.provider: str = stepper.provider
        self._stepper = stepper
        self._fbank = Fbank()
        self._f0 = F0(lag=min(_F0_MAX_LAG, 2 * self.lookahead_frames))
        self._blinker = Blinker(blink, blink_seed)
        self.calibration: Optional[Calibration] = None
        self._pending = np.zeros(HOP_SAMPLES, np.float32)
        self.reset()

    def reset(self) -> None:
        """Starts a new stream, from frame 0, after silence. The idle layer goes on."""
        self._stepper.reset()
        self._fbank.reset()
        self._fbank.accept(np.zeros(LEAD_SAMPLES, np.float32))
        self._f0.reset()
        self._f0_values: Deque[float] = deque()
        self._f0_count = 0
        self._levels: Deque[float] = deque()
        self._filled = 0  # samples of `_pending`
        self._steps = 0

    def accept(self, samples: np.ndarray) -> List[Frame]:
        """Takes sound.

        :param samples: float32 [n], 16 kHz mono, -1..1 and finite
        :return: the frames now known
        """
        known: List[Frame] = []
        start = 0
        while start < len(samples):
            count = min(HOP_SAMPLES - self._filled, len(samples) - start)
            self._pending[self._filled : self._filled + count] = samples[start : start + count]
            self._filled += count
            start += count
            if self._filled == HOP_SAMPLES:
                self._filled = 0
                known += self._advance()
        return known

    def finish(self) -> List[Frame]:
        """The frames still due, as if silence followed; then `reset`.

        In all there are T = ceil(samples / 640) frames.
        """
        due = self._steps + (1 if self._filled else 0)
        missing = max(0, due - max(0, self._steps - self.lookahead_frames))
        known: List[Frame] = []
        if self._filled:
            self._pending[self._filled :] = 0.0
            known += self._advance()
        while len(known) < missing:
            self._pending[:] = 0.0
            known += self._advance()
        self.reset()
        return known

    def _advance(self) -> List[Frame]:
        """Works off `_pending`, which is full; the frame that is known then, if any."""
        hop = self._pending
        fbank = self._fbank.accept(hop)
        f0_known = []
        for f0_hz in self._f0.accept(hop):
            if self._f0_count % _F0_PER_FRAME == 0:  # the one at the middle of a face frame
                f0_known.append(float(f0_hz))
            self._f0_count += 1
        self._f0_values.extend(f0_known)
        self._levels.append(level_dbfs(hop))
        self.stage("features")
        landmarks, blendshapes, speech = self._stepper.step(fbank, f0_known, self._levels[-1])
        self.stage("encoder")
        self._steps += 1
        index = self._steps - 1 - self.lookahead_frames
        if index < 0:
            return []
        flags = frames.SPEECH if speech > 0.5 else 0
        if self._blinker.apply(landmarks, blendshapes):
            flags |= frames.BLINKING
        if self.calibration is not None:
            landmarks, blendshapes = self.calibration.apply(landmarks, blendshapes)
        self.stage("motion")
        return [
            Frame(
                index,
                landmarks,
                blendshapes,
                self._f0_values.popleft(),
                self._levels.popleft(),
                flags,
            )
        ]
