"""VRChat avatars with face tracking: Unified Expressions as avatar parameters, over OSC.

What a parameter means was read in VRCFaceTracking and LiteLink. Eyes and lids stay VRChat's own, or
those of an eye tracker that runs beside: edgeface hears, it does not see.
"""

from typing import Dict, List

import numpy as np

from ..motion.face import BLENDSHAPES
from ..motion.frame import NEUTRAL
from ..shm.reader import ReadFrame
from .encoder import Encoder
from .osc import Changes, bundles
from .shapes import clean

PORT = 9000
_PARAMETERS = "/avatar/parameters/"
# avatars use either; VRChat ignores parameters that an avatar does not have
_VERSIONS = (_PARAMETERS + "v2/", _PARAMETERS + "FT/v2/")
_ACTIVE = (_PARAMETERS + "LipTrackingActive", _PARAMETERS + "ExpressionTrackingActive")

Weights = Dict[str, float]  # by Apple's name


def _same(name: str) -> Weights:
    """The shape of the same name."""
    return {name[0].lower() + name[1:]: 1.0}


def _mean(*names: str) -> Weights:
    return {name: 1.0 / len(names) for name in names}


def _both(name: str) -> Weights:
    """The mean of the left and the right one."""
    return _mean(name + "Left", name + "Right")


def _expressions() -> Dict[str, Weights]:
    """Every parameter as a sum of shapes."""
    same = ("JawOpen", "JawForward", "JawLeft", "JawRight", "BrowInnerUp", "TongueOut")
    found = {name: _same(name) for name in same}
    found["MouthClosed"] = {"mouthClose": 1.0}
    found["MouthRaiserUpper"] = {"mouthShrugUpper": 1.0}
    found["MouthRaiserLower"] = {"mouthShrugLower": 1.0}
    found["JawX"] = {"jawRight": 1.0, "jawLeft": -1.0}
    found["JawZ"] = {"jawForward": 1.0}
    for part in ("MouthX", "MouthUpperX", "MouthLowerX"):
        found[part] = {"mouthRight": 1.0, "mouthLeft": -1.0}
    for lips, shape in (("LipFunnel", "mouthFunnel"), ("LipPucker", "mouthPucker")):
        for part in ("", "Upper", "Lower"):
            found[lips + part] = {shape: 1.0}
    found["LipSuck"] = _mean("mouthRollUpper", "mouthRollLower")
    found["LipSuckUpper"] = {"mouthRollUpper": 1.0}
    found["LipSuckLower"] = {"mouthRollLower": 1.0}
    found["MouthOpen"] = _mean(
        "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"
    )
    for name in ("mouthUpperUp", "mouthLowerDown", "mouthStretch", "mouthPress", "mouthDimple"):
        found[name[0].upper() + name[1:]] = _both(name)
    found["NoseSneer"] = _both("noseSneer")
    found["CheekSquint"] = _both("cheekSquint")
    found["CheekPuffSuck"] = {"cheekPuff": 1.0}
    found["BrowDown"] = _both("browDown")
    found["BrowOuterUp"] = _both("browOuterUp")
    for side in ("Left", "Right"):
        found.update(_one_side(side))
    for name in ("SmileFrown", "SmileSad", "BrowExpression"):
        left = found[name + "Left"]
        right = found[name + "Right"]
        found[name] = {
            shape: (left.get(shape, 0.0) + right.get(shape, 0.0)) / 2 for shape in {**left, **right}
        }
    return found


def _one_side(side: str) -> Dict[str, Weights]:
    """The parameters of the left or the right half of the face."""
    same = (
        *("MouthUpperUp", "MouthLowerDown", "MouthFrown", "MouthStretch", "MouthDimple"),
        *("MouthPress", "NoseSneer", "CheekSquint", "BrowDown", "BrowOuterUp"),
    )
    found = {name + side: _same(name + side) for name in same}
    for part in ("MouthCornerPull", "MouthCornerSlant", "MouthSmile"):
        found[part + side] = {"mouthSmile" + side: 1.0}
    for part in ("BrowLowerer", "BrowPinch"):
        found[part + side] = {"browDown" + side: 1.0}
    for part in ("MouthUpper", "MouthLower"):
        found[part + side] = {"mouth" + side: 1.0}
    for part in ("CheekPuff", "CheekPuffSuck"):
        found[part + side] = {"cheekPuff": 1.0}
    for part in ("Upper", "Lower"):
        found[f"LipFunnel{part}{side}"] = {"mouthFunnel": 1.0}
        found[f"LipPucker{part}{side}"] = {"mouthPucker": 1.0}
        found[f"LipSuck{part}{side}"] = {"mouthRoll" + part: 1.0}
    found["BrowInnerUp" + side] = {"browInnerUp": 1.0}
    brows = {"browInnerUp": 0.5, "browOuterUp" + side: 0.5, "browDown" + side: -1.0}
    found["BrowExpression" + side] = brows
    # "Sad" of VRCFaceTracking also counts stretched lips, which in speech are an e or i
    for part in ("SmileFrown", "SmileSad"):
        found[part + side] = {"mouthSmile" + side: 1.0, "mouthFrown" + side: -1.0}
    return found


class VrChat(Encoder):
    """Parameters of -1..1 that changed, and all of them once a second, under both names that
    avatars use; tracking counts as active while there is live sound.
    """

    def __init__(self) -> None:
        expressions = _expressions()
        self._addresses = [version + name for version in _VERSIONS for name in expressions]
        self._weights = np.zeros((len(expressions), len(BLENDSHAPES)))  # parameters from shapes
        for row, weights in zip(self._weights, expressions.values()):
            for shape, weight in weights.items():
                row[BLENDSHAPES.index(shape)] = weight
        self._changes = Changes()

    def encode(self, frame: ReadFrame, time_s: float) -> List[bytes]:
        """Bundles of what changed; none where nothing did."""
        expressions = self._weights.dot(clean(frame.blendshapes)).tolist()
        values: Dict[str, float] = dict(zip(self._addresses, expressions * len(_VERSIONS)))
        values.update(dict.fromkeys(_ACTIVE, not frame.flags & NEUTRAL))
        return bundles(self._changes.since(values, time_s))
