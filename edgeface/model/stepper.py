"""The network as a stream: one call per face frame, caches carried along."""

import numpy as np

from ..features.fbank import MEL_BINS, SILENCE

FBANK_PER_FRAME = 4
# Zeros before the first sample, so that the four Fbank frames of step n end
# within face frame n: the front end itself adds no latency.
LEAD_SAMPLES = 320


class Stepper:
    """Runs the step graph.

    The stream starts as if digital silence had been heard for ever: `reset`
    restores the caches that silence leaves behind.

    :param session: an ONNX Runtime session of a step graph: input `fbank`
        [1, 4, 80], outputs `landmarks` [1, 68, 3], `blendshapes` [1, 52], `speech`
        [1], and for every cache an input NAME and an output `new_NAME`
    :param context_frames: frames after which the caches have forgotten their start
    """

    def __init__(self, session, context_frames):
        self._session = session
        self._names = [item.name for item in session.get_inputs() if item.name != "fbank"]
        self._outputs = ["landmarks", "blendshapes", "speech"] + ["new_" + name for name in self._names]
        self._caches = {item.name: np.zeros(item.shape, np.float32) for item in session.get_inputs()}
        silence = np.full((FBANK_PER_FRAME, MEL_BINS), SILENCE, np.float32)
        for _ in range(context_frames):
            self.step(silence)
        self._silent = dict(self._caches)

    def reset(self):
        """Forgets everything heard."""
        self._caches = dict(self._silent)

    def step(self, fbank):
        """Takes the Fbank of one more face frame, float32 [4, 80].

        :return: landmarks [68, 3], blendshapes [52] and the probability of speech,
            of the frame that lies the graph's look-ahead back
        """
        feed = self._caches
        feed["fbank"] = fbank[None]
        landmarks, blendshapes, speech, *caches = self._session.run(self._outputs, feed)
        self._caches = dict(zip(self._names, caches))
        return landmarks[0], blendshapes[0], float(speech[0])
