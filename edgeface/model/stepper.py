"""A model as a stream: one call per face frame."""

from abc import ABC, abstractmethod
from typing import Sequence, Tuple

import numpy as np

from ..features.fbank import FBANK_PER_FRAME, MEL_BINS, SILENCE
from ..features.level import FLOOR_DBFS
from .runtime.session import Session

# Zeros before the first sample, so that the four Fbank frames of step n end
# within face frame n: the front end itself adds no latency.
LEAD_SAMPLES = 320
RESULTS = ("landmarks", "blendshapes", "speech")

# Landmarks float32 [68, 3], blendshapes float32 [52] and the probability of speech, 0 to 1.
Face = Tuple[np.ndarray, np.ndarray, float]


class Stepper(ABC):
    """Turns the features of one face frame after another into faces.

    `provider`: what computes, `tensorrt`, `cuda` or `cpu`.
    """

    provider: str

    @abstractmethod
    def reset(self) -> None:
        """Starts a new stream, as if there had been digital silence for ever."""

    @abstractmethod
    def step(self, fbank: np.ndarray, f0_hz: Sequence[float], level_dbfs: float) -> Face:
        """Takes the features of one more face frame.

        :param fbank: float32 [4, 80]
        :param f0_hz: F0 of the frames for which it became known, oldest first, 0 where unvoiced
        :param level_dbfs: level of this frame
        :return: the face of the frame that lies the model's look-ahead back
        """


class CachedStepper(Stepper):
    """Runs a step graph, which remembers the past in caches.

    After `context_frames` of digital silence the caches hold nothing but silence: from then on the
    face is the same, bit for bit, and is no longer computed.

    :param session: of a graph with the input `fbank` [1, 4, 80], the outputs `landmarks`
        [1, 68, 3], `blendshapes` [1, 52] and `speech` [1], and for every cache an input NAME and an
        output `new_NAME`
    :param context_frames: frames after which the caches have forgotten their start
    """

    def __init__(self, session: Session, context_frames: int) -> None:
        self._session = session
        self.provider = session.provider
        self._context_frames = context_frames
        self._silence = np.full((FBANK_PER_FRAME, MEL_BINS), SILENCE, np.float32)
        self._caches = session.first_caches()
        self._silent_frames = 0
        for _ in range(context_frames):
            self.step(self._silence, (), FLOOR_DBFS)
        self._silent_caches = session.keep(self._caches)
        self._silent_face = self._run(self._silence)
        self.reset()

    def reset(self) -> None:
        """Restores the caches that silence leaves behind."""
        self._caches = self._silent_caches
        self._silent_frames = self._context_frames

    def step(self, fbank: np.ndarray, f0_hz: Sequence[float], level_dbfs: float) -> Face:
        """The face of one more frame; a step graph needs neither F0 nor level."""
        self._silent_frames += 1
        if not np.array_equal(fbank, self._silence):
            self._silent_frames = 0
        if self._silent_frames <= self._context_frames:
            return self._run(fbank)
        self._caches = self._silent_caches
        landmarks, blendshapes, speech = self._silent_face
        return landmarks.copy(), blendshapes.copy(), speech

    def _run(self, fbank: np.ndarray) -> Face:
        outputs, self._caches = self._session.step(fbank[None], self._caches, RESULTS)
        landmarks, blendshapes, speech = outputs
        return landmarks[0], blendshapes[0], float(speech[0])
