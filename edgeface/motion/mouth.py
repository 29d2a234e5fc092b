"""The mouth's blendshapes, such that the lips of an avatar are those of the landmarks.

A network knows blendshapes less well than landmarks: lips that follow them close too seldom and
hardly become narrow. So the shapes that open, close, narrow and widen the mouth are computed from
the landmarks of the frame; the others stay those of the network. What a shape does to the lips
differs from head to head. Used are the shapes on which two independent heads agree (ICT-FaceKit and
MakeHuman), with the mean of what they do there; those on which they do not agree stay 0.
"""

from typing import Any, Callable, NamedTuple, Tuple

import numpy as np

from .face import BLENDSHAPES, LEFT_CORNER, LOWER_LIP, RIGHT_CORNER, UPPER_LIP

_CHIN = 8
_POINTS = np.array((UPPER_LIP, LOWER_LIP, LEFT_CORNER, RIGHT_CORNER, _CHIN))


class _Effect(NamedTuple):
    """What a shape at 1 adds to the lips' gap and to the mouth's width, in outer-eye distances."""

    gap: float
    width: float


# means of both heads; of a pair, left and right together
_JAW_OPEN = _Effect(0.363, -0.0655)
_CLOSE = _Effect(-0.398, 0.045)
_FUNNEL = _Effect(0.150, -0.0655)
_PUCKER = _Effect(-0.0075, -0.098)
_STRETCH = _Effect(0.0, 0.137)
_SMILE = _Effect(-0.016, 0.151)
_LOWER_DOWN = _Effect(0.058, 0.0)
_UPPER_UP = _Effect(0.065, -0.004)
_CHIN_DROP = 0.316  # of the jaw at 1
_LIP_RISE = 0.068  # of the upper lip, with both of its shapes at 1

_COMPUTED = np.array(
    [
        BLENDSHAPES.index(name)
        for name in (
            "jawOpen",
            "mouthClose",
            "mouthFunnel",
            "mouthPucker",
            "mouthStretchLeft",
            "mouthSmileLeft",
            "mouthLowerDownLeft",
            "mouthUpperUpLeft",
            "mouthStretchRight",
            "mouthSmileRight",
            "mouthLowerDownRight",
            "mouthUpperUpRight",
        )
    ]
)
_DISPUTED = ("mouthRollUpper", "mouthPress", "mouthDimple")
_KEPT = np.array([not name.startswith(_DISPUTED) for name in BLENDSHAPES], np.float32)

# The gap at which lips begin to part, within _SOFT of it. At rest those of both heads are 0.008
# apart inside; with 0.0105 they count as closed (below 15 % of a wide gap) when the landmarks do.
_CLOSED_GAP = 0.0105
_SOFT = 0.005
# Shares of the landmarks' motion. With all of it the lips of a head, whose jaw swings back as well
# as down, would be faster than those of the talker whose face was filmed.
_GAP_SHARE = 0.74
_WIDTH_SHARE = 0.7
# Behind closed lips the jaw hangs as low as the chin does, up to _HANGING; where a jaw of
# _HANGING_ENDS is needed to open the lips, it hangs no lower than that.
_HANGING = 0.08
_HANGING_ENDS = 0.045
# the lips' own part in opening the mouth; _HALF are openings at which half of a share is shown
_UPPER_SHARE = 0.7
_UPPER_BEGINS = -0.01
_UPPER_HALF = 0.015
_UPPER_MOST = 0.25
_LOWER_RATE = 0.7
_LOWER_BEGINS = 0.03
_LOWER_MOST = 0.4
# a mouth that is round and open is a funnel by this share, and a pucker for the rest
_FUNNEL_SHARE = 0.3
_FUNNEL_HALF = 0.06
# of what is wide: with this much smile the corners of the mouth stay as high as they are
_SMILE_SHARE = 0.25

Values = Any
"""A number, or float64 [n]."""
Choice = Callable[[Values, Values], Values]
"""The larger or the smaller one of two."""


class MouthShapes:
    """Computes the mouth's blendshapes, each frame on its own.

    :param neutral: resting face of the model, [68, 3]
    """

    def __init__(self, neutral: object) -> None:
        upper, _, left, right, chin = np.asarray(neutral, np.float32)[_POINTS].tolist()
        self._width = _distance(left, right)
        self._chin = chin[1]
        self._upper = upper[1]

    def apply(self, landmarks: np.ndarray, blendshapes: np.ndarray) -> np.ndarray:
        """The blendshapes to be shown.

        :param landmarks: float32 [n, 68, 3]
        :param blendshapes: those of the network, float32 [n, 52]
        :return: float32 [n, 52], 0..1; a new array
        """
        points = landmarks[:, _POINTS]
        if len(landmarks) == 1:  # a live frame: numbers are five times as fast as arrays
            computed = self._computed(points[0].tolist(), max, min)
        else:
            points = points.transpose(1, 2, 0).astype(np.float64)
            computed = self._computed(points, np.maximum, np.minimum)
        shapes = blendshapes * _KEPT
        shapes[:, _COMPUTED] = np.array(computed).T
        return shapes

    def _computed(self, points: Values, larger: Choice, smaller: Choice) -> Tuple[Values, ...]:
        """The shapes of `_COMPUTED`, from `_POINTS` of a face, each x, y and z."""
        upper_lip, lower_lip, left, right, chin = points
        opening = _opening(_distance(upper_lip, lower_lip), larger, smaller)
        widening = _WIDTH_SHARE * (_distance(left, right) - self._width)
        drop = larger(self._chin - chin[1], 0.0)
        rise = larger(upper_lip[1] - self._upper - _UPPER_BEGINS, 0.0)

        upper = smaller(_UPPER_SHARE / _LIP_RISE * rise, _UPPER_MOST)
        upper = upper * opening / (opening + _UPPER_HALF)
        lower = smaller(_LOWER_RATE * larger(opening - _LOWER_BEGINS, 0.0), _LOWER_MOST)
        left_over = opening - _UPPER_UP.gap * upper - _LOWER_DOWN.gap * lower
        # an open jaw narrows the mouth by itself
        widening = widening - _JAW_OPEN.width / _JAW_OPEN.gap * larger(left_over, 0.0)
        widening = widening - _UPPER_UP.width * upper
        funnel, pucker = _narrow(larger(-widening, 0.0), opening, smaller)
        wide = larger(widening, 0.0)
        stretch = smaller((1.0 - _SMILE_SHARE) / _STRETCH.width * wide, 1.0)
        smile = smaller(_SMILE_SHARE / _SMILE.width * wide, 1.0)

        left_over = left_over - _FUNNEL.gap * funnel - _PUCKER.gap * pucker - _SMILE.gap * smile
        jaw, close = _jaw(left_over / _JAW_OPEN.gap, drop / _CHIN_DROP, larger, smaller)
        one_side = (stretch, smile, lower, upper)
        return (jaw, close, funnel, pucker, *one_side, *one_side)


def _distance(one: Values, other: Values) -> Values:
    x, y, z = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    return (x * x + y * y + z * z) ** 0.5


def _opening(gap: Values, larger: Choice, smaller: Choice) -> Values:
    """How far the lips of a head part, for a gap of the landmarks."""
    beyond = gap - _CLOSED_GAP
    # a parabola within _SOFT, then a straight line
    soft = smaller(larger(beyond + _SOFT, 0.0), 2.0 * _SOFT)
    return _GAP_SHARE * (soft * soft / (4.0 * _SOFT) + larger(beyond - _SOFT, 0.0))


def _narrow(narrowing: Values, opening: Values, smaller: Choice) -> Tuple[Values, Values]:
    """Funnel and pucker that narrow the mouth."""
    share = _FUNNEL_SHARE * opening / (opening + _FUNNEL_HALF)
    both = narrowing / -(share * _FUNNEL.width + (1.0 - share) * _PUCKER.width)
    return smaller(share * both, 1.0), smaller((1.0 - share) * both, 1.0)


def _jaw(needed: Values, dropped: Values, larger: Choice, smaller: Choice) -> Tuple[Values, Values]:
    """Jaw, and the close that takes back what it opens too far.

    :param needed: jaw that opens the lips as they shall be; negative: they are too far apart
    :param dropped: jaw that lowers the chin as far as it is
    """
    opened = larger(needed, 0.0)
    hidden = larger(1.0 - opened / _HANGING_ENDS, 0.0)
    jaw = smaller(opened + smaller(dropped, _HANGING) * hidden * hidden, 1.0)
    close = _JAW_OPEN.gap / -_CLOSE.gap * larger(jaw - needed, 0.0)
    return jaw, smaller(close, 1.0)
