"""How the blendshapes of a bundle follow the talker's, and whether they move as much in other voices."""

import numpy as np

from edgeface.motion.face import BLENDSHAPES

from .abroad import one_after_another, rounding

_MOVING = 0.02  # deviation of the talker's at least; what moves less is mostly the tracker's noise


def follow(ours, theirs, others):
    """Rows (name, deviation, share, correlation, elsewhere) of the blendshapes that move, the liveliest first.

    `deviation` of the tracked face; the face's `share` of it; their `correlation` over all frames; `elsewhere`: share
    of it in other voices.

    :param ours: blendshapes [T, 52] of the talker's clips
    :param theirs: the same of the tracked face
    :param others: blendshapes [U, 52] of what other voices say
    """
    deviations = theirs.std(0)
    return [
        (
            BLENDSHAPES[at],
            deviations[at],
            ours[:, at].std() / deviations[at],
            float(np.corrcoef(ours[:, at], theirs[:, at])[0, 1]) if ours[:, at].std() > 0 else 0.0,
            others[:, at].std() / deviations[at],
        )
        for at in np.argsort(-deviations)
        if deviations[at] > _MOVING
    ]


def puckering(tracks, phones):
    """How often lips are more puckered in a rounded vowel than in a spread one, 0.5 by chance.

    :param tracks: list of blendshapes [T, 52]
    :param phones: for each, list of (start_s, end_s, phone), or None where unknown
    """
    return rounding(
        -np.concatenate(tracks)[:, BLENDSHAPES.index("mouthPucker")],
        one_after_another(phones, map(len, tracks)),
    )
