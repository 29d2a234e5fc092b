"""A picture of what avatars make of a bundle: rest, p, a, u, i and f, by held-out clips."""

from pathlib import Path
from typing import Dict, Sequence, Tuple

import matplotlib
import numpy as np

from edgeface.motion.face import LANDMARKS

from .heads import Head, Mesh

matplotlib.use("Agg")
from matplotlib import pyplot

MOMENTS: Dict[str, Tuple[str, int]] = {
    "rest": ("bbbf8p", 0),
    "p(lace)": ("pwbq4n", 16),
    "n(o)w": ("prwj8n", 37),
    "bl(ue)": ("sbwozn", 19),
    "pl(ea)se": ("bbbf8p", 30),
    "f(ive)": ("bwag5s", 36),
}
"""What is spoken, in which clip of the corpus, and in which of its frames."""

_LINES = ((0, 17), (17, 22), (22, 27), (27, 31), (31, 36))  # first point, end
_LOOPS = ((36, 42), (42, 48))
_LIPS = ((48, 60), (60, 68))
_EDGES = (-0.62, 0.74, -1.36, 0.0)  # of the picture: left, right, bottom, top
_PIXELS = 340  # of a head
_LIGHT = np.array([-0.35, 0.45, 0.82])
_COLOURS = {
    "body": (0.86, 0.70, 0.60),
    "helper-l-eye": (0.94, 0.94, 0.94),
    "helper-r-eye": (0.94, 0.94, 0.94),
}
_HIDDEN = 0.06  # behind what is seen of the resting face
_MOUTH = (0.4, 0.3)  # how far from the lips, to the side and up or down
_SLIT = 6  # pixels: resting lips leave less between them
_INSIDE = (0.42, 0.15, 0.15)
_YAW = 0.25  # rad, so that lips can be seen to come forward


def draw(
    path: Path, faces: Sequence[np.ndarray], shapes: Sequence[np.ndarray], ict: Head, mesh: Mesh
) -> None:
    """Writes the picture: landmarks, ICT's head and MakeHuman's, one below the other.

    :param faces: landmarks [68, 3] at each of MOMENTS
    :param shapes: blendshapes [52] at each of them
    """
    figure, rows = pyplot.subplots(3, len(MOMENTS), figsize=(10.2, 5.4))
    camera = _Camera(mesh)
    for at, name in enumerate(MOMENTS):
        rows[0, at].set_title(name, size=11)
        _draw_points(rows[0, at], faces[at])
        _draw_points(rows[1, at], ict.posed(shapes[at][None])[0])
        camera.draw(rows[2, at], shapes[at])
    for row, name in zip(rows, ("landmarks", "ICT-FaceKit", "MakeHuman")):
        row[0].set_ylabel(name, size=11)
        for axes in row:
            axes.set(xticks=[], yticks=[], xlim=_EDGES[:2], ylim=_EDGES[2:], aspect="equal")
            axes.spines[:].set_visible(False)
    figure.tight_layout(pad=0.4)
    figure.savefig(str(path), dpi=100)
    pyplot.close(figure)


def _draw_points(axes, points: np.ndarray) -> None:
    """Draws landmarks as lines, with lips and what is between them."""
    seen = _turned(points)[:, :2]
    assert len(seen) == LANDMARKS
    for first, end in _LINES:
        axes.plot(*seen[first:end].T, color="#555555", linewidth=1.2)
    for first, end in _LOOPS:
        axes.fill(*seen[first:end].T, facecolor="none", edgecolor="#555555", linewidth=1.2)
    for (first, end), colour in zip(_LIPS, ("#c9736b", "#40191b")):
        axes.fill(*seen[first:end].T, facecolor=colour, edgecolor="#7d3a36", linewidth=0.8)


class _Camera:
    """Draws a head with a depth buffer, without its teeth, which are not fitted to it.

    What is hidden behind the resting lips is drawn dark.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._head = mesh.head
        drawn = np.array([group in _COLOURS for group in mesh.groups])
        self._faces = mesh.faces[drawn]
        self._colours = np.array([_COLOURS[group] for group in mesh.groups if group in _COLOURS])
        eyes = [at for at, group in enumerate(mesh.groups) if group.endswith("-eye")]
        self._origin = mesh.head.neutral[np.unique(mesh.faces[eyes])].mean(0)
        rest = mesh.head.neutral
        lips = rest[list(mesh.head.lips)].mean(0)
        _, depth = self._take(rest)
        for at, face in enumerate(self._faces):
            column, row, near = self._seen(rest[face]).mean(0)
            around = depth[
                max(0, int(row) - _SLIT) : int(row) + _SLIT, max(0, int(column)) : int(column) + 2
            ]
            beside = np.abs(rest[face].mean(0) - lips)[:2]
            if (beside < _MOUTH).all() and near < around.max() - _HIDDEN:
                self._colours[at] = _INSIDE

    def draw(self, axes, shapes: np.ndarray) -> None:
        """Draws the face of blendshapes [52]."""
        picture, _ = self._take(self._head.posed(shapes[None])[0])
        axes.imshow(picture, extent=_EDGES)

    def _seen(self, points: np.ndarray) -> np.ndarray:
        """Column, row and nearness of points."""
        left, right, bottom, top = _EDGES
        scale = (_PIXELS / (right - left), _PIXELS / (bottom - top), 1.0)
        return (_turned(points - self._origin) - (left, top, 0.0)) * scale

    def _take(self, points: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Picture and depth of a face whose points are these."""
        corners = _turned(points)[self._faces]
        across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        smooth = np.zeros_like(points)
        for corner in range(4):
            np.add.at(smooth, self._faces[:, corner], across)
        smooth /= np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-9
        light = 0.35 + 0.65 * np.clip(smooth @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
        picture = np.ones((_PIXELS, _PIXELS, 3))
        depth = np.full((_PIXELS, _PIXELS), -np.inf)
        seen = self._seen(points)
        for at in np.flatnonzero(across[:, 2] > 0):
            for corner in (1, 2):
                triangle = self._faces[at, [0, corner, corner + 1]]
                _fill(picture, depth, seen[triangle], light[triangle], self._colours[at])
        return picture, depth


def _fill(
    picture: np.ndarray,
    depth: np.ndarray,
    triangle: np.ndarray,
    light: np.ndarray,
    colour: np.ndarray,
) -> None:
    """Draws a triangle where nothing lies before it.

    :param triangle: column, row and nearness of its corners, [3, 3]
    :param light: at its corners, [3]
    """
    first = np.maximum(np.floor(triangle[:, :2].min(0)).astype(int), 0)
    last = np.minimum(np.ceil(triangle[:, :2].max(0)).astype(int), _PIXELS - 1)
    if (last < first).any():
        return
    columns, rows = np.meshgrid(np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1))
    edges = triangle[1:, :2] - triangle[0, :2]
    area = edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0]
    if abs(area) < 1e-9:
        return
    x, y = columns - triangle[0, 0], rows - triangle[0, 1]
    second = (x * edges[1, 1] - y * edges[1, 0]) / area
    third = (y * edges[0, 0] - x * edges[0, 1]) / area
    weights = np.stack((1 - second - third, second, third))
    near = np.tensordot(triangle[:, 2], weights, 1)
    seen = (weights.min(0) > -1e-6) & (near > depth[rows, columns])
    depth[rows[seen], columns[seen]] = near[seen]
    shade = np.tensordot(light, weights, 1)[seen]
    picture[rows[seen], columns[seen]] = np.clip(shade[:, None] * colour, 0, 1)


def _turned(points: np.ndarray) -> np.ndarray:
    """Points [..., 3] of a head that is turned a little."""
    x, y, z = np.moveaxis(points, -1, 0)
    cos, sin = np.cos(_YAW), np.sin(_YAW)
    return np.stack((cos * x + sin * z, y, cos * z - sin * x), -1)
