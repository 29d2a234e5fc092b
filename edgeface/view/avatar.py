"""What an avatar's face can do: the shapes, expressions and bones that the page will find in it.

The page finds them itself, by the same rules: `edgeface/examples/web/face.js` has those of names.
"""

import re
from typing import Iterator, List, NamedTuple, Tuple

from ..core.errors import DataError
from ..motion.face import BLENDSHAPES
from .gltf import Object, child, objects, read_description

VOWELS = ("aa", "ih", "ou", "ee", "oh")
BLINKS = ("blink", "blinkLeft", "blinkRight")
# names of VRM 0 to those of VRM 1
_PRESETS = dict(zip(("a", "i", "u", "e", "o", "blink", "blink_l", "blink_r"), VOWELS + BLINKS))
_NODES = {
    "head": re.compile(r"(?:^|[^A-Za-z])head$|Head$"),
    "left eye": re.compile(r"(?:left|(?:^|[^a-z])l)[_. ]?(?:face)?eye$|eye[_. ]?(?:left|l)$", re.I),
    "right eye": re.compile(
        r"(?:right|(?:^|[^a-z])r)[_. ]?(?:face)?eye$|eye[_. ]?(?:right|r)$", re.I
    ),
}
_BONES = {"head": "head", "leftEye": "left eye", "rightEye": "right eye"}


class Avatar(NamedTuple):
    """What a file has of a face."""

    kind: str
    """`GLB`, `VRM 0` or `VRM 1`"""

    shapes: Tuple[str, ...]
    """ARKit's names of the blendshapes that it has"""

    vowels: Tuple[str, ...]
    """VRM 1's names of the vowels and blinks that it has"""

    parts: Tuple[str, ...]
    """which of `head`, `left eye` and `right eye` can be turned"""

    @property
    def speaks_by_vowels(self) -> bool:
        """Whether no shape moves its mouth, but vowels do."""
        by_shapes = any(name.startswith(("jaw", "mouth")) for name in self.shapes)
        return not by_shapes and not set(VOWELS).isdisjoint(self.vowels)

    @property
    def missing(self) -> List[str]:
        """ARKit's names of the blendshapes that it lacks."""
        return [name for name in BLENDSHAPES if name not in self.shapes]


def read_avatar(path: str) -> Avatar:
    """What a GLB or VRM file has of a face.

    :raises MissingInputError: the file cannot be read
    :raises DataError: it is damaged or too large, or has no face
    """
    gltf = read_description(path)
    kind, expressions, bones = _vrm(gltf)
    found = {plain(name) for name in [*_targets(gltf), *expressions]}
    shapes = tuple(name for name in BLENDSHAPES if plain(name) in found)
    vowels = tuple(name for name in VOWELS + BLINKS if name in expressions)
    avatar = Avatar(kind, shapes, vowels, tuple(bones or _nodes(gltf)))
    if not (avatar.speaks_by_vowels or any(name.startswith(("jaw", "mouth")) for name in shapes)):
        raise DataError(
            f"{path}: no face that could speak: neither a blendshape of ARKit's, such as jawOpen,"
            " nor a vowel of VRM's; export it with its shape keys"
        )
    return avatar


def plain(name: str) -> str:
    """A blendshape's name without what spellings differ in."""
    name = re.sub(r"[._ ]?L\Z|[._ ]l\Z", "Left", name)
    name = re.sub(r"[._ ]?R\Z|[._ ]r\Z", "Right", name)
    return re.sub(r"[_ ]", "", re.sub(r"\A.*[.:]", "", name)).lower()


def _targets(gltf: Object) -> Iterator[str]:
    """Names of the morph targets of all meshes."""
    for mesh in objects(gltf, "meshes"):
        names = child(mesh, "extras").get("targetNames")
        counts = [len(objects(primitive, "targets")) for primitive in objects(mesh, "primitives")]
        if isinstance(names, list) and len(names) in counts:
            yield from (name for name in names if isinstance(name, str))


def _vrm(gltf: Object) -> Tuple[str, List[str], List[str]]:
    """Kind, expressions that move something, and parts that can be turned."""
    newer, older = child(gltf, "extensions", "VRMC_vrm"), child(gltf, "extensions", "VRM")
    if newer:
        groups = [child(newer, "expressions", key) for key in ("preset", "custom")]
        named = [item for group in groups for item in group.items()]
        names = [name for name, group in named if objects(group, "morphTargetBinds")]
        bones = list(child(newer, "humanoid", "humanBones"))
    elif older:
        moving = [
            group
            for group in objects(child(older, "blendShapeMaster"), "blendShapeGroups")
            if objects(group, "binds")
        ]
        names = [
            _PRESETS.get(str(group.get("presetName")).lower(), str(group.get("name")))
            for group in moving
        ]
        bones = [str(bone.get("bone")) for bone in objects(child(older, "humanoid"), "humanBones")]
    else:
        return "GLB", [], []
    kind = "VRM 1" if newer else "VRM 0"
    return kind, names, [part for bone, part in _BONES.items() if bone in bones]


def _nodes(gltf: Object) -> Iterator[str]:
    names = [str(node.get("name")) for node in objects(gltf, "nodes") if "skin" not in node]
    for part, pattern in _NODES.items():
        if any(pattern.search(name) for name in names):
            yield part
