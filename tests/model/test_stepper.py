import numpy as np
import pytest

from edgeface.core.rates import HOP_SAMPLES, LOOKAHEADS_MS
from edgeface.features.fbank import FBANK_PER_FRAME, MEL_BINS, SILENCE, Fbank
from edgeface.model.runtime.compute import Compute
from edgeface.model.runtime.providers import open_session
from edgeface.model.stepper import LEAD_SAMPLES, RESULTS, CachedStepper


class Counting:
    """A session that counts its steps."""

    def __init__(self, session):
        self._session, self.provider, self.steps = session, session.provider, 0

    def __getattr__(self, name):
        return getattr(self._session, name)

    def step(self, *arguments):
        self.steps += 1
        return self._session.step(*arguments)


@pytest.mark.parametrize("lookahead_ms", LOOKAHEADS_MS)
def test_long_silence_is_not_computed_and_gives_the_same_bits(bundle, clips, lookahead_ms):
    """Two sentences around ten seconds of silence, beside a stepper that computes all of it."""
    session = Counting(open_session(bundle.step_file(lookahead_ms), Compute("cpu")))
    context = bundle.network.context_frames
    stepper = CachedStepper(session, context)
    computing = CachedStepper(session._session, context)
    speech = (clips["samples"][:2] / 32768.0).astype(np.float32)
    silence = np.zeros(250 * HOP_SAMPLES, np.float32)
    sound = np.concatenate((silence, speech[0], silence, speech[1]))
    fbank = Fbank()
    fbank.accept(np.zeros(LEAD_SAMPLES, np.float32))
    session.steps = 0
    for at in range(0, len(sound), HOP_SAMPLES):
        computing._silent_frames = 0
        rows = fbank.accept(sound[at : at + HOP_SAMPLES])
        for one, other in zip(stepper.step(rows, (), 0.0), computing.step(rows, (), 0.0)):
            assert np.array_equal(one, other), at / HOP_SAMPLES
    assert session.steps <= 2 * 75 + context + 2


def test_the_face_of_silence_belongs_to_the_caller(bundle):
    stepper = bundle.open_stepper(80, Compute("cpu"))
    silence = np.full((FBANK_PER_FRAME, MEL_BINS), SILENCE, np.float32)
    first = stepper.step(silence, (0.0,), (0.0,))
    first[0][:] = first[1][:] = 7.0
    again = stepper.step(silence, (0.0,), (0.0,))
    assert again[0].max() < 7.0 and again[1].max() < 7.0
    assert len(again) == len(RESULTS)
