"""Teeth, one by one, and the tongue."""

from typing import Dict, List

import numpy as np

from .glb import Mesh
from .makehuman import MakeHuman
from .skin import Body, linear, pruned, shaded
from .surface import Surface, normals, occlusion, smooth

_WIDTHS = {  # of a half, from the middle, in millimetres of a person's
    "upper": (8.4, 6.6, 7.6, 7.0, 6.7, 9.0),
    "lower": (5.3, 5.8, 6.8, 7.0, 7.1, 9.5),
}
_HEIGHTS = {
    "upper": (10.0, 9.0, 9.8, 8.2, 7.2, 6.5),
    "lower": (8.6, 8.8, 9.6, 8.2, 7.4, 6.8),
}
_BEHIND = {"upper": 0.03, "lower": 0.065}  # dm, of MakeHuman's plain teeth
_LOWER = 0.085  # dm that the lower ones are shorter
_SHOWN = 0.03  # dm that the upper ones are longer than MakeHuman's
_STEPS = (7, 5)  # of a tooth's grid, wide and high
_ENAMEL = (214, 205, 190)
_GUM = (168, 82, 80)
_TONGUE = (176, 92, 90)


def mouth(source: MakeHuman, body: Body) -> List[Mesh]:
    """Both rows of teeth, with gums, and the tongue."""
    return [_row(source, body, "upper"), _row(source, body, "lower"), _tongue(source, body)]


def _row(source: MakeHuman, body: Body, which: str) -> Mesh:
    numbers = source.members(f"helper-{which}-teeth")
    helper = body.vertices[numbers]
    low, high = helper[:, 1].min(), helper[:, 1].max()
    arc = _arc(helper, _BEHIND[which])
    length = np.concatenate(([0], np.cumsum(np.sqrt((np.diff(arc, axis=0) ** 2).sum(axis=1)))))
    sign = -1 if which == "upper" else 1  # towards the tips
    total = 2 * sum(_WIDTHS[which])
    scale = 0.94 * length[-1] / total
    edge = low - _SHOWN if which == "upper" else high - _LOWER
    points, triangles, colours = [], [], []
    for half in (-1, 1):
        at = 0.0
        for wide, tall in zip(_WIDTHS[which], _HEIGHTS[which]):
            middle = length[-1] / 2 + half * scale * (at + wide / 2)
            at += wide
            place, way = _along(arc, length, middle)
            tooth, faces, paint = _tooth(scale * wide * 1.15, scale * tall * 0.8)
            first = sum(len(part) for part in points)
            tangent = np.array([way[0], 0, way[1]])
            outward = np.array([way[1], 0, -way[0]])
            outward *= (
                np.sign(outward[2]) if abs(outward[2]) > 0.3 else np.sign(outward[0] * place[0])
            )
            tilt = 0.1 * tooth[:, 1:2]
            points.append(
                np.array([place[0], edge, place[1]])
                + tooth[:, :1] * tangent
                - sign * tooth[:, 1:2] * np.array([0, 1, 0])
                + (tooth[:, 2:] - tilt) * outward
            )
            flip = np.dot(np.cross(tangent, [0, -sign, 0]), outward) < 0
            triangles.append(first + (faces[:, ::-1] if flip else faces))
            colours.append(paint)
    surface = Surface(np.concatenate(points), np.concatenate(triangles))
    hidden = occlusion(surface.points, normals(surface), body.surface)
    colour = np.concatenate(colours) * shaded(0.35 * hidden)
    return Mesh(
        f"{which.capitalize()}Teeth",
        surface.points,
        normals(surface),
        surface.triangles,
        colour,
        _carried(source, numbers, helper, surface.points),
        0.22,
    )


def _arc(helper: np.ndarray, behind: float) -> np.ndarray:
    """The line along which teeth stand: x and z, from right to left."""
    front = helper[:, 2].max() - behind
    half = 0.93 * np.abs(helper[:, 0]).max() - behind
    back = helper[:, 2].min()
    bend = np.linspace(-1, 1, 81) * np.pi / 2
    return np.stack((half * np.sin(bend), back + (front - back) * np.cos(bend) ** 0.8), 1)


def _along(arc: np.ndarray, length: np.ndarray, at: float) -> tuple:
    place = np.array([np.interp(at, length, arc[:, k]) for k in range(2)])
    ahead = np.array([np.interp(at + 0.01, length, arc[:, k]) for k in range(2)])
    way = ahead - np.array([np.interp(at - 0.01, length, arc[:, k]) for k in range(2)])
    return place, way / np.sqrt((way**2).sum())


def _tooth(wide: float, tall: float) -> tuple:
    """A rounded front: across, up from the tip, and outwards; its triangles; its colours."""
    columns, rows = _STEPS
    across, up = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(0, 1, rows))
    narrow = 1 - 0.12 * up - 0.05 * (1 - up) ** 6  # towards the gum, and at the tip's corners
    corner = 0.05 * tall * across**6
    out = 0.035 * np.sqrt(np.maximum(1 - 0.92 * across**2, 0)) * np.minimum(1, 0.45 + 2.2 * up)
    points = np.stack((across * narrow * wide / 2, up * tall + corner * (1 - up) ** 3, out), -1)
    gum = np.clip((up - 0.86) * 12, 0, 1)[..., None]
    shade = 1 - 0.3 * np.abs(across[..., None]) ** 5
    paint = (linear(_ENAMEL) * shade) * (1 - gum) + linear(_GUM) * gum
    triangles = []
    for row in range(rows - 1):
        for column in range(columns - 1):
            a = row * columns + column
            triangles += [(a, a + 1, a + columns), (a + 1, a + columns + 1, a + columns)]
    return points.reshape(-1, 3), np.array(triangles), paint.reshape(-1, 3)


def _carried(
    source: MakeHuman, numbers: np.ndarray, helper: np.ndarray, points: np.ndarray
) -> Dict[str, np.ndarray]:
    """Shapes of points that move with MakeHuman's: linear in space, fitted by least squares."""
    base = np.hstack((helper, np.ones((len(helper), 1))))
    there = np.hstack((points, np.ones((len(points), 1))))
    shapes = {}
    for name in ("jawOpen", "jawForward", "jawLeft", "jawRight"):
        moved = source.shape(name)[numbers]
        if np.abs(moved).max() > 1e-3:
            fit = np.linalg.solve(base.T @ base, base.T @ moved)
            shapes[name] = pruned(there @ fit)
    return shapes


def _tongue(source: MakeHuman, body: Body) -> Mesh:
    numbers = source.members("helper-tongue")
    place = {number: k for k, number in enumerate(numbers)}
    triangles = [
        [place[face[0]], place[face[k]], place[face[k + 1]]]
        for face in source.groups["helper-tongue"]
        for k in range(1, len(face) - 1)
    ]
    surface = Surface(body.vertices[numbers], np.array(triangles))
    names = ("jawOpen", "jawForward", "jawLeft", "jawRight", "tongueOut")
    shapes = {name: pruned(source.shape(name)[numbers]) for name in names}
    hidden = occlusion(surface.points, normals(surface), body.surface)
    tip = np.clip((surface.points[:, 2] - surface.points[:, 2].max() + 0.5) / 0.5, 0, 1)[:, None]
    colour = linear(_TONGUE) * (0.75 + 0.35 * tip) * shaded(0.45 * hidden)
    return Mesh(
        "Tongue",
        surface.points,
        normals(surface),
        surface.triangles,
        smooth(surface, colour, 1),
        shapes,
        0.35,
    )
