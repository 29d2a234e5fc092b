"""A model as a stream: one call per face frame, or per block of them."""

from abc import ABC, abstractmethod
from typing import Optional, Sequence, Tuple

import numpy as np

from ..features.fbank import FBANK_PER_FRAME, MEL_BINS, SILENCE
from .runtime.session import Session

# Zeros before the first sample, so that the four Fbank frames of step n end
# within face frame n: the front end itself adds no latency.
LEAD_SAMPLES = 320
RESULTS = ("landmarks", "blendshapes", "speech")

# Landmarks [n, 68, 3], blendshapes [n, 52] and the probability of speech [n], 0 to 1; float32.
Faces = Tuple[np.ndarray, np.ndarray, np.ndarray]


class Stepper(ABC):
    """Turns the features of one face frame after another into faces.

    `provider`: what computes, `tensorrt`, `cuda` or `cpu`; `frames`: how many it takes at once, n;
    `needs_f0`: whether faces depend on F0.
    """

    provider: str
    frames: int = 1
    needs_f0: bool = False

    @abstractmethod
    def reset(self) -> None:
        """Starts a new stream, as if there had been digital silence for ever."""

    @abstractmethod
    def step(
        self, fbank: np.ndarray, f0_hz: Sequence[float], levels_dbfs: Sequence[float]
    ) -> Faces:
        """Takes the features of n more face frames.

        :param fbank: float32 [4 n, 80]
        :param f0_hz: F0 of the frames for which it became known, oldest first, 0 where unvoiced
        :param levels_dbfs: levels of these frames
        :return: the faces of n frames, which lie the model's look-ahead back
        """

    def rest(self) -> Optional[Faces]:
        """What `step` gives for n more frames of digital silence, if that changes nothing any more.

        :return: the same arrays every time, only to be read; None where it must be computed
        """
        return None


class CachedStepper(Stepper):
    """Runs a step graph, or one of a block of frames, which remembers the past in caches.

    After `context_frames` of digital silence the caches hold nothing but silence: from then on the
    face is the same, bit for bit, and is no longer computed.

    :param session: of a graph with the input `fbank` [1, 4 n, 80], the outputs `landmarks`
        [n, 68, 3], `blendshapes` [n, 52] and `speech` [n], and for every cache an input NAME and an
        output `new_NAME`
    :param context_frames: frames after which the caches have forgotten their start
    """

    def __init__(self, session: Session, context_frames: int) -> None:
        self._session = session
        self.provider = session.provider
        self._context_frames = context_frames
        rows = session.inputs["fbank"][1]
        self.frames = rows // FBANK_PER_FRAME
        self._silence = np.full((rows, MEL_BINS), SILENCE, np.float32)
        self._silent_bytes = self._silence.tobytes()
        self._caches = session.first_caches()
        self._silent_frames = 0
        for _ in range(0, context_frames, self.frames):
            self.step(self._silence, (), ())
        self._silent_caches = session.keep(self._caches)
        self._silent_faces = self._run(self._silence)
        self.reset()

    def reset(self) -> None:
        """Restores the caches that silence leaves behind."""
        self._caches = self._silent_caches
        self._silent_frames = self._context_frames

    def step(
        self, fbank: np.ndarray, f0_hz: Sequence[float], levels_dbfs: Sequence[float]
    ) -> Faces:
        """The faces of n more frames; such a graph needs neither F0 nor levels."""
        silent_before = self._silent_frames
        self._silent_frames += self.frames
        if fbank.tobytes() != self._silent_bytes:
            self._silent_frames = 0
        if self._silent_frames == 0 or silent_before < self._context_frames:
            return self._run(fbank)
        self._caches = self._silent_caches
        landmarks, blendshapes, speech = self._silent_faces
        return landmarks.copy(), blendshapes.copy(), speech

    def rest(self) -> Optional[Faces]:
        """The silent faces, once everything else is forgotten."""
        return self._silent_faces if self._silent_frames > self._context_frames else None

    def _run(self, fbank: np.ndarray) -> Faces:
        outputs, self._caches = self._session.step(fbank[None], self._caches, RESULTS)
        landmarks, blendshapes, speech = outputs
        return landmarks, blendshapes, speech
