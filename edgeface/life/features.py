"""Puts gaze, lids and brows into landmarks and blendshapes, in place."""

from typing import List, Tuple

import numpy as np

from ..motion.face import BLENDSHAPES, EYES

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
# lid points of iBUG-68: an upper one, and the one below it
_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
_UPPER_SHARE = 0.75  # of the way, on which the lids meet

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


def _closing() -> np.ndarray:
    """Motion of points 36..47 when the eyes close, from where they are: float32 [12, 12]."""
    motion = np.zeros((68, 68), np.float32)
    for upper, lower in _LIDS:
        for point, share in ((upper, _UPPER_SHARE), (lower, _UPPER_SHARE - 1.0)):
            motion[point, lower] = share
            motion[point, upper] = -share
    return np.ascontiguousarray(motion[EYES, EYES])


_CLOSING = _closing()
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
    points, shapes = landmarks[_BROW_POINTS], blendshapes[_BROW_SHAPES]
    for share, motion, moved in (
        (raised, _RAISE_MOTION, _RAISED),
        (frowned, _FROWN_MOTION, _FROWNED),
    ):
        if share >= _LEAST:
            points += share * motion
            shapes += share * moved * (1 - shapes)


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
        eyes = landmarks[EYES]
        eyes += close * _CLOSING.dot(eyes)
