"""How alike lips move to what the phone-to-motion model makes of the phones and their sound."""

from typing import List, NamedTuple

import numpy as np

from edgeface.core.rates import HOP_SAMPLES
from training.data.correlation import lip_correlations
from training.targets.phone_to_motion import PhoneToMotion, moved

from .animation import Animate
from .closures import Spoken

_FEWEST_FRAMES = 50  # of what a correlation means something for


class Likeness(NamedTuple):
    """Mean correlations over a number of recordings."""

    language: str
    recordings: int
    gap: float
    width: float


def alike(animate: Animate, model: PhoneToMotion, spoken: Spoken) -> List[Likeness]:
    """Mean correlations with the model's motion, for each language or voice."""
    rows = []
    for language, said in spoken.items():
        found = []
        for samples, phones in said:
            frames = len(samples) // HOP_SAMPLES
            if frames >= _FEWEST_FRAMES:
                whole = samples[: frames * HOP_SAMPLES]
                found.append(lip_correlations(animate(whole), moved(model, whole, phones)[0]))
        gap, width = np.mean(found, axis=0)
        rows.append(Likeness(language, len(found), gap, width))
    return rows
