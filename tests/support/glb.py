"""A head with morph targets as a GLB file, and the skeleton that TalkingHead wants around it."""

import base64
import json
import struct

import numpy as np

_SKIN, _WHITE, _DARK = (0.9, 0.7, 0.6), (1.0, 1.0, 1.0), (0.25, 0.05, 0.05)
_HUMANOID = {"hips": "Hips", "spine": "Spine", "head": "Head"}
_HUMANOID.update(leftEye="LeftEye", rightEye="RightEye")
for _side in ("Left", "Right"):
    _HUMANOID.update(
        {
            f"{_side.lower()}{bone}": _side + name
            for bone, name in (
                ("UpperArm", "Arm"),
                ("LowerArm", "ForeArm"),
                ("Hand", "Hand"),
                ("UpperLeg", "UpLeg"),
                ("LowerLeg", "Leg"),
                ("Foot", "Foot"),
            )
        }
    )
_WHITE_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)
_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


def write_head(path, names):
    """A head alone, 2 high.

    :param names: its morph targets, in the spelling that is to be written; those that are called
        like jawOpen and eyeBlinkLeft or eyeBlink_L, whatever comes before, move mouth and eyes
    """
    _write(path, names, [{"name": "Head", "mesh": 0}], [0])


def write_avatar(path, names):
    """The head on a skeleton without a skin, at a height of 1.6, as TalkingHead wants it."""
    nodes, root = _skeleton()
    _write(path, names, nodes, [root])


def write_vrm(path, version, names=()):
    """The avatar as VRM 0 or 1, with an expression for each vowel and blink.

    :param version: 0, whose avatars turn their backs on the viewer of glTF, or 1
    :param names: further expressions, each of a morph target of its own
    """
    nodes, root = _skeleton()
    bones = {
        bone: next(k for k, node in enumerate(nodes) if node["name"] == name)
        for bone, name in _HUMANOID.items()
    }
    # spelled so that they are none of ARKit's, and move like these
    moving = [f"{vowel} jawOpen" for vowel in "aiueo"] + ["x eyeBlink_L", "x eyeBlink_R"]
    binds = dict(zip(("a", "i", "u", "e", "o", "blink_l", "blink_r"), ([k] for k in range(7))))
    binds["blink"] = [5, 6]
    custom = {name: [7 + k] for k, name in enumerate(names)}
    targets = moving + [f"target {name}" for name in names]
    if version == 0:
        nodes[root]["rotation"] = [0, 1, 0, 0]
        groups = [
            {"name": name, "presetName": preset, "binds": _binds("mesh", 0, indices, 100)}
            for name, preset, indices in [(key, key, item) for key, item in binds.items()]
            + [(name, "unknown", item) for name, item in custom.items()]
        ]
        extensions = {
            "VRM": {
                "specVersion": "0.0",
                "meta": {"title": "made up"},
                "humanoid": {"humanBones": [{"bone": k, "node": v} for k, v in bones.items()]},
                "blendShapeMaster": {"blendShapeGroups": groups},
                "firstPerson": {},
                "secondaryAnimation": {},
                "materialProperties": [],
            }
        }
    else:
        face = next(k for k, node in enumerate(nodes) if node["name"] == "Face")
        newer = ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight", "blink")
        presets = dict(zip(newer, binds.values()))
        expressions = [
            {name: {"morphTargetBinds": _binds("node", face, at, 1)} for name, at in group.items()}
            for group in (presets, custom)
        ]
        extensions = {
            "VRMC_vrm": {
                "specVersion": "1.0",
                "meta": {
                    "name": "made up",
                    "authors": ["edgeface"],
                    "licenseUrl": "https://vrm.dev/licenses/1.0/",
                },
                "humanoid": {"humanBones": {k: {"node": v} for k, v in bones.items()}},
                "expressions": dict(zip(("preset", "custom"), expressions)),
            }
        }
    _write(path, targets, nodes, [root], extensions)


def _binds(key, value, indices, weight):
    return [{key: value, "index": index, "weight": weight} for index in indices]


def _skeleton():
    """Nodes, and the number of the root."""
    nodes = []

    def add(name, offset, *children, **more):
        nodes.append(dict(name=name, translation=offset, children=list(children), **more))
        return len(nodes) - 1

    def limb(side, x, *bones):
        child = []
        for name, y in reversed(bones):
            hand = name == "Hand"
            fingers = [_finger(add, side + name + finger) for finger in _FINGERS] if hand else []
            child = [add(side + name, [x if not child else 0, y, 0], *child, *fingers)]
        return child[0]

    head = add(
        "Head",
        [0, 0.1, 0],
        add("LeftEye", [0.03, 0.03, 0.1]),
        add("RightEye", [-0.03, 0.03, 0.1]),
        add("Face", [0, 0, 0], mesh=0, scale=[0.12, 0.12, 0.12]),
    )
    neck = add("Neck", [0, 0.1, 0], head)
    arm = (("Shoulder", 0), ("Arm", 0), ("ForeArm", 0.3), ("Hand", 0.3))
    leg = (("UpLeg", 0), ("Leg", 0.5), ("Foot", 0.45), ("ToeBase", 0.05))
    arms = [limb(side, 0.1 * x, *arm) for side, x in (("Left", 1), ("Right", -1))]
    legs = [limb(side, 0.1 * x, *leg) for side, x in (("Left", 1), ("Right", -1))]
    spine = add("Spine2", [0, 0.2, 0], neck, *arms)
    for name in ("Spine1", "Spine"):
        spine = add(name, [0, 0.1, 0], spine)
    # the lowest point of what is seen is where the avatar stands
    floor = add("Floor", [0, 0, 0], mesh=1)
    root = add("Armature", [0, 0, 0], add("Hips", [0, 1, 0], spine, *legs), floor)
    for node in nodes:
        if not node["children"]:
            del node["children"]
    return nodes, root


def _finger(add, name):
    child = ()
    for joint in (3, 2, 1):
        child = (add(f"{name}{joint}", [0, 0.03, 0], *child),)
    return child[0]


def _parts():
    """Vertices, colours and triangles of a face: an egg, two eyes, and a mouth that is shut."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, 13), np.linspace(0, 2 * np.pi, 25))
    egg = (np.sin(theta) * np.sin(phi) * 0.8, np.cos(theta), np.sin(theta) * np.cos(phi) * 0.8)
    grids = [(np.stack(egg, -1), _SKIN)]
    for x in (0.3, -0.3):  # his left eye is on the viewer's right
        grids.append((_patch(x, 0.2, 0.13, 0.09, 0.78), _WHITE))
        grids.append((_patch(x, 0.2, 0.05, 0.09, 0.80), _DARK))
    grids.append((_patch(0, -0.4, 0.3, 0.015, 0.76), _DARK))
    points, colours, triangles = [], [], []
    for grid, colour in grids:
        rows, columns = grid.shape[:2]
        first = sum(len(part) for part in points)
        at = first + np.arange(rows * columns).reshape(rows, columns)
        a, b, c, d = (at[y, x].ravel() for y, x in _CORNERS)
        triangles += [np.stack((a, b, c), 1), np.stack((b, d, c), 1)]
        points.append(grid.reshape(-1, 3))
        colours.append(np.tile(colour, (rows * columns, 1)))
    return np.concatenate(points), np.concatenate(colours), np.concatenate(triangles)


_CORNERS = [
    (slice(None, -1), slice(None, -1)),
    (slice(None, -1), slice(1, None)),
    (slice(1, None), slice(None, -1)),
    (slice(1, None), slice(1, None)),
]


def _patch(x, y, half_width, half_height, z):
    """A grid of 5 x 9 points before the face."""
    v, u = np.meshgrid(np.linspace(1, -1, 5), np.linspace(-1, 1, 9), indexing="ij")
    bulge = 0.06 * (1 - u * u)
    return np.stack((x + half_width * u, y + half_height * v, z + bulge), -1)


def _morph(name, points, k):
    """What a morph target adds to the points."""
    x, y, z = points.T
    moved = np.zeros_like(points)
    plain = name.lower()
    if plain.endswith("jawopen"):
        moved[:, 1] = np.where((z > 0) & (y < -0.4), -0.3, 0)
    elif "eyeblink" in plain:
        left = plain.endswith(("left", "_l"))
        eye = (z > 0.7) & (np.abs(y - 0.2) < 0.1) & (x > 0 if left else x < 0)
        moved[:, 1] = np.where(eye, 0.9 * (0.2 - y), 0)
    else:
        moved[k % len(points), 2] = 0.001  # each another point
    return moved


def _write(path, names, nodes, roots, extensions=None):
    points, colours, triangles = _parts()
    binary, views, accessors = b"", [], []

    def accessor(values, dtype, kind, component):
        nonlocal binary
        data = np.ascontiguousarray(values, dtype)
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": data.nbytes})
        binary += data.tobytes() + b"\0" * (-data.nbytes % 4)
        bounds = (
            {} if kind == "SCALAR" else {"min": data.min(0).tolist(), "max": data.max(0).tolist()}
        )
        accessors.append(
            dict(
                bufferView=len(views) - 1,
                componentType=component,
                count=len(data),
                type=kind,
                **bounds,
            )
        )
        return len(accessors) - 1

    primitive = {
        "indices": accessor(triangles.ravel(), np.uint16, "SCALAR", 5123),
        "attributes": {
            "POSITION": accessor(points, np.float32, "VEC3", 5126),
            "NORMAL": accessor(_normals(points), np.float32, "VEC3", 5126),
            "COLOR_0": accessor(colours, np.float32, "VEC3", 5126),
            "TEXCOORD_0": accessor(np.zeros((len(points), 2)), np.float32, "VEC2", 5126),
        },
        "targets": [
            {"POSITION": accessor(_morph(name, points, k), np.float32, "VEC3", 5126)}
            for k, name in enumerate(names)
        ],
        "material": 0,
    }
    accessor(np.frombuffer(_WHITE_PNG, np.uint8), np.uint8, "SCALAR", 5121)
    image = {"bufferView": len(views) - 1, "mimeType": "image/png"}
    floor = accessor(np.eye(3) * (0.1, 0, 0.1), np.float32, "VEC3", 5126)
    skin = {"metallicFactor": 0, "baseColorTexture": {"index": 0}}
    scene = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": list(roots)}],
        "nodes": nodes,
        "meshes": [
            {"primitives": [primitive], "extras": {"targetNames": list(names)}},
            {"primitives": [{"attributes": {"POSITION": floor}}]},
        ],
        "materials": [{"doubleSided": True, "pbrMetallicRoughness": skin}],
        "textures": [{"source": 0}],
        "images": [image],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
        "extensionsUsed": list(extensions or {}),
        "extensions": extensions or {},
    }
    write_glb(path, scene, binary)


def write_glb(path, scene, binary=b""):
    """A glTF object and its bytes as a file."""
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    with open(path, "wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary)))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(binary), b"BIN\0") + binary)


def rewrite(path, target, change):
    """A copy whose description is changed."""
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack_from("<I", data, 12)
    scene = json.loads(data[20 : 20 + size].decode())
    change(scene)
    write_glb(target, scene, data[28 + size :])


def _normals(points):
    """Outwards, as if all were on the egg."""
    return points / np.linalg.norm(points, axis=1, keepdims=True)
