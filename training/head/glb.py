"""Writes meshes as a small GLB file: quantised (KHR_mesh_quantization), morph targets sparse."""

import json
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

_SHORT, _BYTE = 32767, 127  # one, in normalised integers
_TYPES = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "f4": 5126}
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_METRES = 0.1  # a decimetre


class Mesh(NamedTuple):
    """One part of a head."""

    name: str
    """of its nodes and of its material"""

    points: np.ndarray
    """float [N, 3], in decimetres"""

    normals: np.ndarray
    """float [N, 3], of length 1"""

    triangles: np.ndarray
    """int [M, 3], counter-clockwise from outside"""

    colours: np.ndarray
    """float [N, 3], linear, 0 to 1; [N, 4] where it is not opaque"""

    targets: Dict[str, np.ndarray]
    """what each shape adds to the points, float [N, 3]; only shapes that move something"""

    roughness: float
    """of its material"""

    parents: Tuple[str, ...] = ("Head",)
    """the nodes that carry it; the points are those below the first"""

    follows: Optional[np.ndarray] = None
    """how much each point follows the head, not the chest, float [N]; None: as its parents"""

    uv: Optional[np.ndarray] = None
    """float [N, 2], 0 to 1"""

    both_sides: bool = False
    """whether it is seen from behind, too"""


class Node(NamedTuple):
    """A place that can turn."""

    name: str
    position: np.ndarray
    """in decimetres"""
    parent: Optional[str]


class Glb:
    """A file that is being put together.

    :param nodes: parents before their children; `Chest` and `Head` carry what follows both
    :param asset: more about the file, such as its copyright
    """

    def __init__(self, nodes: Sequence[Node], asset: Dict[str, str]) -> None:
        self._binary = bytearray()
        self._places = {node.name: node for node in nodes}
        self._scene: Dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "edgeface, training.head", **asset},
            "extensionsUsed": ["KHR_mesh_quantization"],
            "extensionsRequired": ["KHR_mesh_quantization"],
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            **{key: [] for key in ("nodes", "meshes", "materials", "skins")},
            **{key: [] for key in ("accessors", "bufferViews")},
        }
        for node in nodes:
            above = self._places[node.parent].position if node.parent else np.zeros(3)
            self._node(node.name, node.parent, _floats((node.position - above) * _METRES))

    def add(self, mesh: Mesh) -> None:
        """Adds a part."""
        centre = (mesh.points.max(axis=0) + mesh.points.min(axis=0)) / 2
        unit = float(np.abs(mesh.points - centre).max())  # dm to one
        attributes = {
            "POSITION": self._attribute((mesh.points - centre) / unit * _SHORT, "i2", bounds=True),
            "NORMAL": self._attribute(mesh.normals * _BYTE, "i1"),
        }
        most = max(float(mesh.colours[:, :3].max()), 1e-3)
        light = np.array([most] * 3 + [1.0])[: mesh.colours.shape[1]]
        attributes["COLOR_0"] = self._attribute(mesh.colours / light * 255, "u1")
        if mesh.uv is not None:
            attributes["TEXCOORD_0"] = self._attribute(mesh.uv * 65535, "u2")
        if mesh.follows is not None:
            weights = np.rint(mesh.follows * 255)
            shares = np.stack((weights, 255 - weights), 1)
            attributes["WEIGHTS_0"] = self._attribute(np.pad(shares, ((0, 0), (0, 2))), "u1")
            joints = np.tile([0, 1, 0, 0], (len(weights), 1)) * (shares[:, [0, 1, 0, 0]] > 0)
            attributes["JOINTS_0"] = self._attribute(joints, "u1", normalized=False)
        primitive: Dict[str, Any] = {
            "attributes": attributes,
            "indices": self._accessor(
                self._view(mesh.triangles.ravel(), "u2"), "u2", mesh.triangles.size, 1
            ),
            "material": self._material(mesh, most),
        }
        names = list(mesh.targets)
        if names:
            primitive["targets"] = [
                {"POSITION": self._sparse(mesh.targets[name] / unit * _SHORT)} for name in names
            ]
        extras = {"extras": {"targetNames": names}} if names else {}
        self._scene["meshes"].append({"name": mesh.name, "primitives": [primitive], **extras})
        at = len(self._scene["meshes"]) - 1
        if mesh.follows is not None:
            root = self._scene["nodes"][0]["name"]
            self._node(mesh.name, root, None, mesh=at, skin=self._skin(centre, unit))
        for parent in () if mesh.follows is not None else mesh.parents:
            offset = (centre - self._places[mesh.parents[0]].position) * _METRES
            scale = _floats([unit * _METRES] * 3)
            self._node(mesh.name, parent, _floats(offset), mesh=at, scale=scale)

    def bytes(self) -> bytes:
        """The whole file."""
        scene = {key: value for key, value in self._scene.items() if value != []}
        scene["buffers"] = [{"byteLength": len(self._binary)}]
        text = json.dumps(scene, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        size = 28 + len(text) + len(self._binary)
        head = struct.pack("<4sIII4s", b"glTF", 2, size, len(text), b"JSON")
        return head + text + struct.pack("<I4s", len(self._binary), b"BIN\0") + bytes(self._binary)

    def _node(self, name: str, parent: Optional[str], position: Any, **more: Any) -> None:
        nodes = self._scene["nodes"]
        nodes.append({"name": name, **({"translation": position} if position else {}), **more})
        if parent:
            self._number(parent).setdefault("children", []).append(len(nodes) - 1)

    def _number(self, name: str) -> Dict[str, Any]:
        return next(node for node in self._scene["nodes"] if node["name"] == name)

    def _skin(self, centre: np.ndarray, unit: float) -> int:
        names = [node["name"] for node in self._scene["nodes"]]
        matrices = []
        for joint in ("Head", "Chest"):
            matrix = np.diag([unit * _METRES] * 3 + [1.0])
            matrix[:3, 3] = (centre - self._places[joint].position) * _METRES
            matrices.append(matrix.T.ravel())  # by columns
        view = self._view(np.array(matrices), "f4")
        self._scene["skins"].append(
            {
                "joints": [names.index("Head"), names.index("Chest")],
                "inverseBindMatrices": self._accessor(view, "f4", 2, 16),
            }
        )
        return len(self._scene["skins"]) - 1

    def _material(self, mesh: Mesh, most: float) -> int:
        self._scene["materials"].append(
            {
                "name": mesh.name,
                "pbrMetallicRoughness": {
                    "baseColorFactor": _floats([most] * 3 + [1.0]),
                    "metallicFactor": 0,
                    "roughnessFactor": mesh.roughness,
                },
                "doubleSided": mesh.both_sides,
                **({"alphaMode": "BLEND"} if mesh.colours.shape[1] == 4 else {}),
            }
        )
        return len(self._scene["materials"]) - 1

    def _attribute(
        self, values: np.ndarray, kind: str, bounds: bool = False, normalized: bool = True
    ) -> int:
        whole = np.rint(values).astype(f"<{kind}")
        count, width = whole.shape
        item = whole.dtype.itemsize
        padded = -(-width * item // 4) * 4 // item  # of every vertex, to four bytes
        stored = np.zeros((count, padded), whole.dtype)
        stored[:, :width] = whole
        view = self._view(stored, kind, stride=padded * item)
        return self._accessor(view, kind, count, width, whole if bounds else None, normalized)

    def _sparse(self, values: np.ndarray) -> int:
        whole = np.rint(values).astype("<i2")
        moved = np.flatnonzero(whole.any(axis=1))
        index = self._accessor(None, "i2", len(whole), 3, whole)
        self._scene["accessors"][index]["sparse"] = {
            "count": len(moved),
            "indices": {"bufferView": self._view(moved, "u2"), "componentType": _TYPES["u2"]},
            "values": {"bufferView": self._view(whole[moved], "i2")},
        }
        return index

    def _accessor(
        self,
        view: Optional[int],
        kind: str,
        count: int,
        width: int,
        bounded: Optional[np.ndarray] = None,
        normalized: bool = True,
    ) -> int:
        accessor: Dict[str, Any] = {
            "componentType": _TYPES[kind],
            "count": count,
            "type": _KINDS[width],
        }
        if view is not None:
            accessor["bufferView"] = view
        if normalized and kind != "f4" and width > 1:
            accessor["normalized"] = True
        if bounded is not None:
            accessor.update(min=bounded.min(axis=0).tolist(), max=bounded.max(axis=0).tolist())
        self._scene["accessors"].append(accessor)
        return len(self._scene["accessors"]) - 1

    def _view(self, values: np.ndarray, kind: str, stride: int = 0) -> int:
        data = np.ascontiguousarray(values, f"<{kind}").tobytes()
        view = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": len(data)}
        if stride:
            view["byteStride"] = stride
        self._scene["bufferViews"].append(view)
        self._binary += data + b"\0" * (-len(data) % 4)
        return len(self._scene["bufferViews"]) - 1


def _floats(values: Any) -> List[float]:
    return [round(float(value), 7) for value in values]
