"""Puts gaze, lids and brows into landmarks and blendshapes, in place."""

from typing import List, Tuple

import numpy as np

from ..motion.face import BLENDSHAPES

# shapes of an eye, in Apple's order: blink, look down, in, out, up, squint, wide
_EYE_SHAPES = 7
_LEFT = BLENDSHAPES.index("eyeBlinkLeft")
_RIGHT = BLENDSHAPES.index("eyeBlinkRight")
_BOTH_EYES = slice(_LEFT, _RIGHT + _EYE_SHAPES)
_SQUINT = 5
_FULL_LOOK = 0.5  # rad: what a shape of 1 stands for
# lids go with the eyes: how far they close, or open, at a full look down, or up
_LID_DOWN = 0.8
_LID_UP = 0.35
# the shapes of a look move an avatar's lids, too: these only add to them
_BLINK_DOWN = 0.25
_WIDE_UP = 0.3
# lid points of iBUG-68: the upper ones, then those below them
_LIDS = np.array((37, 38, 43, 44, 41, 40, 47, 46))
# where a blink takes them, from where they are: to meet, the upper lid 3/4 of the way
_UPPER_SHARE = 0.75
_CLOSING = np.kron(
    [[-_UPPER_SHARE, _UPPER_SHARE], [1 - _UPPER_SHARE, _UPPER_SHARE - 1]], np.eye(4)
).astype(np.float32)

# down left and right, inner up, outer up left and right
_BROW_SHAPES = slice(BLENDSHAPES.index("browDownLeft"), BLENDSHAPES.index("browOuterUpRight") + 1)
_RAISED = np.array((0.0, 0.0, 1.0, 0.8, 0.8), np.float32)
_FROWNED = np.array((1.0, 1.0, 0.0, 0.0, 0.0), np.float32)
_BROW_POINTS = slice(17, 27)
_LEAST = 1e-4  # what nobody can see
# how these move points 17..21, in units of the face: as on the ICT rig
_RAISE_X = (-0.008, -0.016, -0.024, -0.020, -0.009)
_RAISE_Y = (0.063, 0.087, 0.099, 0.108, 0.080)
_FROWN_X = (0.024, 0.043, 0.051, 0.041, 0.019)
_FROWN_Y = (-0.009, -0.027, -0.041, -0.038, -0.020)


def _both_brows(across: Tuple[float, ...], up: Tuple[float, ...]) -> np.ndarray:
    """Motion of points 17..26, [10, 3], from that of the brow at the viewer's left."""
    left = [(x, y, 0.0) for x, y in zip(across, up)]
    right = [(-x, y, 0.0) for x, y in zip(across[::-1], up[::-1])]
    return np.array(left + right, np.float32)


_RAISE_MOTION = _both_brows(_RAISE_X, _RAISE_Y)
_FROWN_MOTION = _both_brows(_FROWN_X, _FROWN_Y)


def move_brows(
    landmarks: np.ndarray, blendshapes: np.ndarray, raised: float, frowned: float
) -> None:
    """Raises the brows, and draws them down.

    :param landmarks: float32 [68, 3]
    :param blendshapes: float32 [52]
    :param raised: 0..1
    :param frowned: 0..1
    """
    if raised < _LEAST and frowned < _LEAST:
        return
    landmarks[_BROW_POINTS] += raised * _RAISE_MOTION + frowned * _FROWN_MOTION
    shapes = blendshapes[_BROW_SHAPES]
    shapes += (raised * _RAISED + frowned * _FROWNED) * (1 - shapes)


def move_eyes(
    landmarks: np.ndarray, blendshapes: np.ndarray, gaze: List[float], closed: float
) -> None:
    """Turns the eyes, and closes them; the lids follow the gaze.

    :param landmarks: float32 [68, 3]
    :param blendshapes: float32 [52]
    :param gaze: as in `motion.frame.Frame`
    :param closed: by a blink, 0..1
    """
    left, up, right, _ = [max(-1.0, min(1.0, angle / _FULL_LOOK)) for angle in gaze]
    down = max(0.0, -up)
    up = max(0.0, up)
    blink = closed + (1.0 - closed) * _BLINK_DOWN * down
    wide = _WIDE_UP * up * (1.0 - closed)
    shapes = blendshapes[_BOTH_EYES].tolist()
    # the left eye is at the viewer's right, and looks out to there
    for start, outward in ((0, left), (_EYE_SHAPES, -right)):
        shapes[start : start + _SQUINT] = (
            blink,
            down,
            max(0.0, -outward),
            max(0.0, outward),
            up,
        )
        shapes[start + _SQUINT + 1] = wide
    blendshapes[_BOTH_EYES] = shapes
    close = closed + (1.0 - closed) * (_LID_DOWN * down - _LID_UP * up)
    if abs(close) >= _LEAST:
        lids = landmarks[_LIDS]
        landmarks[_LIDS] = lids + close * _CLOSING.dot(lids)
