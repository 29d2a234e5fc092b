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
_INSIDE = (0.45, 0.16, 0.16)  # of skin seen from behind: the mouth
_YAW = 0.25  # rad, so that lips can be seen to come forward


def draw(
    path: Path, faces: Sequence[np.ndarray], shapes: Sequence[np.ndarray], ict: Head, mesh: Mesh
) -> None:
    """Writes the picture: landmarks, ICT's head and MakeHuman's, one below the other.

    :param faces: landmarks [68, 3] at each of MOMENTS
    :param shapes: blendshapes [52] at each of them
    """
    figure, rows = pyplot.subplots(3, len(MOMENTS), figsize=(10.2, 5.4))
    for at, name in enumerate(MOMENTS):
        rows[0, at].set_title(name, size=11)
        _draw_points(rows[0, at], faces[at])
        _draw_points(rows[1, at], ict.posed(shapes[at][None])[0])
        _draw_mesh(rows[2, at], mesh, shapes[at])
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


def _draw_mesh(axes, mesh: Mesh, shapes: np.ndarray) -> None:
    """Draws the head with a depth buffer; without teeth, which are not fitted to it."""
    points = _turned(mesh.head.posed(shapes[None])[0] - _between_eyes(mesh))
    drawn = np.array([group in _COLOURS for group in mesh.groups])
    faces = mesh.faces[drawn]
    colours = np.array([_COLOURS[group] for group in mesh.groups if group in _COLOURS])
    corners = points[faces]
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    smooth = np.zeros_like(points)
    for corner in range(4):
        np.add.at(smooth, faces[:, corner], across)
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-9
    light = 0.35 + 0.65 * np.clip(smooth @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    picture = np.ones((_PIXELS, _PIXELS, 3))
    depth = np.full((_PIXELS, _PIXELS), -np.inf)
    left, right, bottom, top = _EDGES
    scale = (_PIXELS / (right - left), _PIXELS / (bottom - top), 1.0)
    seen = (points - (left, top, 0.0)) * scale
    colours[across[:, 2] < 0] = _INSIDE
    for face, colour in zip(faces, colours):
        for triangle in (face[:3], face[[0, 2, 3]]):
            _fill(picture, depth, seen[triangle], light[triangle], colour)
    axes.imshow(picture, extent=_EDGES)


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


def _between_eyes(mesh: Mesh) -> np.ndarray:
    """Where the resting head's bridge of the nose is, as with landmarks, [3]."""
    eyes = [mesh.faces[at] for at, group in enumerate(mesh.groups) if group.endswith("-eye")]
    return mesh.head.neutral[np.unique(eyes)].mean(0)


def _turned(points: np.ndarray) -> np.ndarray:
    """Points [..., 3] of a head that is turned a little."""
    x, y, z = np.moveaxis(points, -1, 0)
    cos, sin = np.cos(_YAW), np.sin(_YAW)
    return np.stack((cos * x + sin * z, y, cos * z - sin * x), -1)
