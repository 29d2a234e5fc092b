"""How the blendshapes of a bundle follow the talker's, and whether they move as much in other voices."""

import numpy as np

from ..features import FRAME_RATE_HZ
from ..motion.face import BLENDSHAPES
from .abroad import rounding

_MOVING = 0.02  # deviation of the talker's at least; what moves less is mostly the tracker's noise


def animate(pipeline, samples):
    """Blendshapes float32 [T, 52] of float32 [N]."""
    frames = pipeline.accept(np.clip(samples, -1, 1).astype(np.float32)) + pipeline.finish()
    return np.array([frame.blendshapes for frame in frames])


def follow(ours, theirs, others):
    """Rows (name, deviation, share, correlation, elsewhere) of the blendshapes that move, the liveliest first.

    `deviation` of the tracked face; the face's `share` of it; their `correlation` over all frames; `elsewhere`: share
    of it in other voices.

    :param ours: blendshapes [T, 52] of the talker's clips
    :param theirs: the same of the tracked face
    :param others: blendshapes [U, 52] of what other voices say
    """
    deviations = theirs.std(0)
    return [(BLENDSHAPES[at], deviations[at], ours[:, at].std() / deviations[at],
             float(np.corrcoef(ours[:, at], theirs[:, at])[0, 1]) if ours[:, at].any() else 0.0,
             others[:, at].std() / deviations[at])
            for at in np.argsort(-deviations) if deviations[at] > _MOVING]


def puckering(tracks, phones):
    """How often lips are more puckered in a rounded vowel than in a spread one, 0.5 by chance.

    :param tracks: list of blendshapes [T, 52]
    :param phones: for each, list of (start_s, end_s, phone), or None where unknown
    """
    begins_s = np.cumsum([0] + [len(track) / FRAME_RATE_HZ for track in tracks])
    known = [(at_s + start, at_s + end, phone) for at_s, said in zip(begins_s, phones)
             for start, end, phone in said or ()]
    return rounding(-np.concatenate(tracks)[:, BLENDSHAPES.index("mouthPucker")], known)
