"""How blendshapes follow the talker's, and whether they move as much in other voices."""

from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from edgeface.motion.face import BLENDSHAPES
from training.phonetics.timing import PhoneTimes, one_after_another

from .closures import rounding

_MOVING = 0.02  # deviation of the talker's at least; what moves less is mostly the tracker's noise
_PUCKER = BLENDSHAPES.index("mouthPucker")


class Following(NamedTuple):
    """deviation: of the tracked face; share: the face's, of it; correlation: over all frames;
    elsewhere: share of it in other voices.
    """

    name: str
    deviation: float
    share: float
    correlation: float
    elsewhere: float


def follow(ours: np.ndarray, theirs: np.ndarray, others: np.ndarray) -> List[Following]:
    """The blendshapes that move, the liveliest first.

    :param ours: blendshapes [T, 52] of the talker's clips
    :param theirs: the same of the tracked face
    :param others: blendshapes [U, 52] of what other voices say
    """
    rows = []
    deviations = theirs.std(0)
    for at in np.argsort(-deviations):
        if deviations[at] > _MOVING:
            own = ours[:, at].std()
            correlation = np.corrcoef(ours[:, at], theirs[:, at])[0, 1] if own > 0 else 0.0
            rows.append(
                Following(
                    BLENDSHAPES[at],
                    deviations[at],
                    own / deviations[at],
                    float(correlation),
                    others[:, at].std() / deviations[at],
                )
            )
    return rows


def puckering(tracks: Sequence[np.ndarray], phones: Sequence[Optional[PhoneTimes]]) -> float:
    """How often lips are more puckered in a rounded vowel than in a spread one, 0.5 by chance.

    :param tracks: blendshapes [T, 52] of each clip
    :param phones: of each clip, None where unknown
    """
    known = one_after_another(phones, [len(track) for track in tracks])
    return rounding(-np.concatenate(tracks)[:, _PUCKER], known)
