"""The pure streaming transform: samples in, face frames out.

No threads, files, clocks or devices. Files, daemon, benchmark and tests run this same
code; since it works in whole face frames of 640 samples, any chunking of the same
samples gives the same frames, bit for bit.

Sound that lies in a file is computed in blocks of many frames, by a stepper that takes them at
once; the rest is the same code.
"""

from collections import deque
from typing import Callable, Deque, List, Optional

import numpy as np

from .core.rates import HOP_SAMPLES, MS_NS, frames_of_ms
from .features.f0 import F0
from .features.fbank import FBANK_PER_FRAME, Fbank
from .features.level import FLOOR_DBFS, level_dbfs
from .life.life import Life
from .life.sound import Sound
from .model.stepper import LEAD_SAMPLES, Faces, Stepper
from .motion import frame as frames
from .motion.calibration import Calibration
from .motion.frame import Frame
from .motion.mouth import MouthShapes

_F0_PER_FRAME = 2
_FBANK_FRAMES = 8  # of a block whose Fbank is computed at once: what fits into the cache
_F0_MAX_LAG = 2  # values of 20 ms
_FORGETTING_SAMPLES = 4 * HOP_SAMPLES  # of silence, after which Fbank and F0 hold nothing else


def _no_stage(_name: str) -> None:
    """Nobody wants to know how far a frame is."""


class Pipeline:
    """Streams samples through features and model.

    `life` is what moves beside the mouth; `calibration` is what is done to the faces, None for
    nothing. Both may be replaced between two calls.

    :param stepper: a `model.stepper.Stepper`
    :param lookahead_ms: look-ahead of the stepper, a multiple of 40
    :param mouth: computes the mouth's blendshapes; None leaves them to the model
    :param life: the idle layer; one with all its parts by default
    :param f0: whether to estimate F0 where the stepper does not need it; without it, it is 0
    :param stage: called with `features`, `encoder` and `motion` when that part of a frame is
        done
    """

    def __init__(
        self,
        stepper: Stepper,
        lookahead_ms: int,
        mouth: Optional[MouthShapes] = None,
        life: Optional[Life] = None,
        f0: bool = True,
        stage: Optional[Callable[[str], None]] = None,
    ) -> None:
        self.lookahead_frames = frames_of_ms(lookahead_ms)
        # algorithmic latency: how much later than its audio's end a frame is known
        self.latency_ns = lookahead_ms * MS_NS
        self.stage = stage or _no_stage
        self.provider: str = stepper.provider
        self._stepper = stepper
        self._mouth = mouth
        self._fbank = Fbank(FBANK_PER_FRAME * min(stepper.frames, _FBANK_FRAMES))
        self._f0: Optional[F0] = None
        if f0 or stepper.needs_f0:
            self._f0 = F0(lag=min(_F0_MAX_LAG, 2 * self.lookahead_frames))
        self.life = life or Life()
        self.calibration: Optional[Calibration] = None
        self._resting_shapes: Optional[np.ndarray] = None
        self._pending = np.zeros(HOP_SAMPLES * stepper.frames, np.float32)
        self.reset()

    def reset(self) -> None:
        """Starts a new stream, from frame 0, after silence. The idle layer goes on."""
        self._stepper.reset()
        self._fbank.reset()
        self._fbank.accept(np.zeros(LEAD_SAMPLES, np.float32))
        if self._f0 is not None:
            self._f0.reset()
        self._f0_values: Deque[float] = deque()
        self._f0_count = 0
        self._levels: Deque[float] = deque()
        self._heard: Deque[bool] = deque()
        self._filled = 0  # samples of `_pending`
        self._taken = 0  # frames that the stepper has taken
        self._silent_samples = 0  # since the last sound

    @property
    def missing_samples(self) -> int:
        """How many samples complete what is computed next, 1 or more."""
        return len(self._pending) - self._filled

    def accept(self, samples: np.ndarray, heard: bool = False) -> List[Frame]:
        """Takes sound.

        :param samples: float32 [n], 16 kHz mono, -1..1 and finite
        :param heard: whether a microphone hears it: the face listens. A frame is as its first
            sample is
        :return: the frames now known
        """
        known: List[Frame] = []
        start = 0
        while start < len(samples):
            count = min(self.missing_samples, len(samples) - start)
            self._pending[self._filled : self._filled + count] = samples[start : start + count]
            begun = -(-(self._filled + count) // HOP_SAMPLES) + (-self._filled // HOP_SAMPLES)
            self._heard.extend([heard] * begun)
            self._filled += count
            start += count
            if self._filled == len(self._pending):
                self._filled = 0
                known += self._advance()
        return known

    def finish(self) -> List[Frame]:
        """The frames still due, as if silence followed; then `reset`.

        In all there are T = ceil(samples / 640) frames.
        """
        due = self._taken - (-self._filled // HOP_SAMPLES)
        missing = due - max(0, self._taken - self.lookahead_frames)
        known: List[Frame] = []
        if self._filled:
            self._pending[self._filled :] = 0.0
            known += self._advance()
        while len(known) < missing:
            self._pending[:] = 0.0
            known += self._advance()
        self.reset()
        return known[:missing]

    def _advance(self) -> List[Frame]:
        """Works off `_pending`, which is full; the frames that are known then."""
        hop = self._pending
        silent_before = self._silent_samples
        self._silent_samples = 0 if hop.dot(hop) else silent_before + len(hop)
        faces = None
        if self._silent_samples and silent_before >= _FORGETTING_SAMPLES:
            faces = self._rest()
        landmarks, blendshapes, speech = faces or self._compute(hop)
        first = self._taken - self.lookahead_frames
        self._taken += len(speech)
        known = [
            self._frame(first + i, landmarks[i], blendshapes[i], bool(speech[i] > 0.5))
            for i in range(max(0, -first), len(speech))
        ]
        if known:
            self.stage("motion")
        return known

    def _compute(self, hop: np.ndarray) -> Faces:
        """The stepper's next faces, with the shapes of the mouth."""
        fbank = self._fbank.accept(hop)
        levels = [level_dbfs(sound) for sound in hop.reshape(-1, HOP_SAMPLES)]
        f0_known = [0.0] * len(levels)
        if self._f0 is not None:
            f0_hz = self._f0.accept(hop)
            # those at the middle of a face frame
            f0_known = f0_hz[-self._f0_count % _F0_PER_FRAME :: _F0_PER_FRAME].tolist()
            self._f0_count += len(f0_hz)
        self._f0_values.extend(f0_known)
        self._levels.extend(levels)
        self.stage("features")
        landmarks, blendshapes, speech = self._stepper.step(fbank, f0_known, levels)
        self.stage("encoder")
        return landmarks, self._shaped(landmarks, blendshapes), speech

    def _rest(self) -> Optional[Faces]:
        """What `_compute` gives for more digital silence; None where it must be computed."""
        faces = self._stepper.rest()
        if faces is None:
            return None
        landmarks, blendshapes, speech = faces
        if self._resting_shapes is None:
            self._resting_shapes = self._shaped(landmarks, blendshapes)
        if self._f0 is not None:
            self._f0.rest(_F0_PER_FRAME * len(speech))
        self._f0_count += _F0_PER_FRAME * len(speech)
        self._f0_values.extend([0.0] * len(speech))
        self._levels.extend([FLOOR_DBFS] * len(speech))
        self.stage("features")
        self.stage("encoder")
        return landmarks.copy(), self._resting_shapes.copy(), speech

    def _shaped(self, landmarks: np.ndarray, blendshapes: np.ndarray) -> np.ndarray:
        return blendshapes if self._mouth is None else self._mouth.apply(landmarks, blendshapes)

    def _frame(
        self, index: int, landmarks: np.ndarray, blendshapes: np.ndarray, is_speech: bool
    ) -> Frame:
        """The next frame, with the idle layer over what the model says."""
        f0_hz = self._f0_values.popleft()
        level_dbfs = self._levels.popleft()
        heard = bool(self._heard) and self._heard.popleft()  # nobody hears what follows the end
        sound = Sound(level_dbfs, f0_hz, is_speech, heard)
        head, gaze, blinks = self.life.apply(landmarks, blendshapes, sound)
        if self.calibration is not None:
            landmarks, blendshapes = self.calibration.apply(landmarks, blendshapes)
        flags = (frames.SPEECH if is_speech else 0) | (frames.BLINKING if blinks else 0)
        return Frame(index, landmarks, blendshapes, f0_hz, level_dbfs, flags, head, gaze)
