"""The network as a stream: one call per face frame, caches carried along."""

import numpy as np

from ..features.fbank import MEL_BINS, SILENCE

FBANK_PER_FRAME = 4
# Zeros before the first sample, so that the four Fbank frames of step n end
# within face frame n: the front end itself adds no latency.
LEAD_SAMPLES = 320
_RESULTS = ["landmarks", "blendshapes", "speech"]


class Stepper:
    """Runs the step graph.

    The stream starts as if digital silence had been heard for ever: `reset`
    restores the caches that silence leaves behind.

    :param session: a `runtime.Session` of a step graph: input `fbank` [1, 4, 80],
        outputs `landmarks` [1, 68, 3], `blendshapes` [1, 52], `speech` [1], and for
        every cache an input NAME and an output `new_NAME`
    :param context_frames: frames after which the caches have forgotten their start
    """

    def __init__(self, session, context_frames):
        self._session = session
        self.provider = session.provider
        self._caches = session.first_caches()
        silence = np.full((FBANK_PER_FRAME, MEL_BINS), SILENCE, np.float32)
        for _ in range(context_frames):
            self.step(silence)
        self._silent = session.keep(self._caches)

    def reset(self):
        """Forgets everything heard."""
        self._caches = self._silent

    def step(self, fbank, _f0_hz=(), _level_dbfs=0.0):
        """Takes one more face frame: Fbank float32 [4, 80], the F0 that is newly known, the level.

        :return: landmarks [68, 3], blendshapes [52] and the probability of speech,
            of the frame that lies the graph's look-ahead back
        """
        (landmarks, blendshapes, speech), self._caches = self._session.step(
            fbank[None], self._caches, _RESULTS
        )
        return landmarks[0], blendshapes[0], float(speech[0])
