"""Real music and sounds from Debian packages that the default bundle was not trained on."""

import glob

import numpy as np
import pytest

from edgeface.build import build_pipeline
from edgeface.config import MOUTH_ONLY, Settings
from edgeface.features.level import level_dbfs
from edgeface.motion.face import lip_gap
from edgeface.source.file import read_whole

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def deviation(bundle):
    """What the lip gap deviates by in float32 [N], from the second second on."""
    pipeline = build_pipeline(Settings(motion=MOUTH_ONLY), bundle)

    def measure(samples):
        frames = pipeline.accept(samples.astype(np.float32)) + pipeline.finish()
        return lip_gap(np.array([frame.landmarks for frame in frames[25:]])).std()

    return measure


def sounds(pattern, seconds):
    """What lies under /usr/share at -30 dBFS."""
    for path in sorted(glob.glob(f"/usr/share/{pattern}")):
        if "audio-channel" not in path:  # in which somebody speaks
            samples = read_whole(path)[: 16000 * seconds]
            yield samples * 10 ** ((-30 - level_dbfs(samples)) / 20)


def test_music_does_not_make_the_mouth_talk(deviation, clips):
    talking = deviation(clips["samples"].reshape(-1) / 32768.0)
    pieces = [
        deviation(samples) / talking for samples in sounds("games/frozen-bubble/snd/*zik*.ogg", 20)
    ]
    assert len(pieces) == 3 and max(pieces) < 0.1


def test_signals_of_a_desktop_do_not_make_the_mouth_talk(deviation, clips):
    talking, pause = deviation(clips["samples"].reshape(-1) / 32768.0), np.zeros(16000, np.float32)
    signals = [
        np.concatenate((pause, samples)) for samples in sounds("sounds/freedesktop/stereo/*.oga", 5)
    ]
    assert len(signals) > 20 and deviation(np.concatenate(signals)) / talking < 0.2
