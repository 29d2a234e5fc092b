"""A sweater, which ends the bust: the body's form, a little wider, and a collar about the neck."""

from typing import List

import numpy as np

from .glb import Mesh
from .people import Person
from .skin import Body, linear
from .surface import Surface, clip, normals, occlusion, unit

_THICK = 0.06  # dm over the skin
_COLLAR = 0.075  # dm, radius of the collar's roll
_RIBS = 6  # points around it
_SLOPE = 0.4  # how much lower the collar is in front, per length
_BELOW = 0.06  # dm under the neck's joint, at its height
_HIDDEN_SKIN = 0.3  # dm under the collar, from where skin is left out


def below_collar(body: Body) -> np.ndarray:
    """How far each point of the skin is below the collar's edge, in decimetres: float64 [N]."""
    points, neck = body.surface.points, body.joints["neck"]
    return neck[1] - _BELOW - _SLOPE * (points[:, 2] - neck[2]) - points[:, 1]


def without_hidden_skin(body: Body) -> np.ndarray:
    """Triangles of the skin that are not under the sweater: int [M, 3]."""
    return body.surface.triangles[
        (below_collar(body)[body.surface.triangles] < _HIDDEN_SKIN).any(axis=1)
    ]


def sweater(body: Body, person: Person) -> List[Mesh]:
    """Sweater and collar."""
    under = below_collar(body)
    part, spot = clip(body.surface, under)
    out = unit(spot.of(normals(body.surface)))
    thick = _THICK * np.clip(0.4 + spot.of(under[:, None])[:, 0] / 0.3, 0, 1)
    cloth = Surface(part.points + thick[:, None] * out, part.triangles)
    follows = spot.of(body.follows[:, None])[:, 0]
    hidden = occlusion(cloth.points, out, body.surface._replace(triangles=_above(body, under)))
    colour = linear(person.sweater) * np.clip(1 - 0.9 * hidden, 0.25, 1)[:, None]
    collar, carried = _collar(cloth, follows)
    around = occlusion(collar.points, normals(collar), body.surface)
    roll = 1.1 * linear(person.sweater) * np.clip(1 - 0.55 * around, 0.2, 1)[:, None]
    meshes = []
    for name, surface, colours, weights in (
        ("Sweater", cloth, colour, follows),
        ("Collar", collar, roll, carried),
    ):
        meshes.append(
            Mesh(
                name,
                surface.points,
                normals(surface),
                surface.triangles,
                colours,
                {},
                0.9,
                follows=weights,
            )
        )
    return meshes


def _above(body: Body, under: np.ndarray) -> np.ndarray:
    """The skin that can shade the sweater: what is not below it."""
    return body.surface.triangles[(under[body.surface.triangles] < 0).all(axis=1)]


def _collar(cloth: Surface, follows: np.ndarray) -> tuple:
    """A roll along the upper edge, and how it follows the head."""
    loop = _edge(cloth)
    line = cloth.points[loop]
    for _ in range(12):  # the edge crosses triangles of all sizes
        line = (np.roll(line, 1, axis=0) + 2 * line + np.roll(line, -1, axis=0)) / 4
    ahead = unit(np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0))
    middle = line.mean(axis=0)
    out = line - middle
    out = unit(out - (out * ahead).sum(axis=1, keepdims=True) * ahead)
    up = np.cross(out, ahead)
    up *= np.sign(up[:, 1:2])
    turns = np.arange(_RIBS) * 2 * np.pi / _RIBS
    ring = (
        0.62 * np.cos(turns)[None, :, None] * out[:, None]
        + 1.25 * np.sin(turns)[None, :, None] * up[:, None]
    )
    points = (line + 0.03 * up)[:, None] + _COLLAR * ring
    count = len(line)
    at = np.arange(count * _RIBS).reshape(count, _RIBS)
    after, beside = np.roll(at, -1, axis=0), np.roll(at, -1, axis=1)
    across = np.roll(after, -1, axis=1)
    triangles = np.concatenate(
        [
            np.stack(corners, -1).reshape(-1, 3)
            for corners in ((at, beside, after), (beside, across, after))
        ]
    )
    surface = Surface(points.reshape(-1, 3), triangles)
    inward = (
        (normals(surface) * (surface.points - np.repeat(line, _RIBS, axis=0))).sum(axis=1) < 0
    ).mean()
    if inward > 0.5:
        surface = surface._replace(triangles=triangles[:, ::-1])
    return surface, np.repeat(follows[loop], _RIBS)


def _edge(cloth: Surface) -> np.ndarray:
    """The points along the collar, in turn: the longest closed edge that is highest."""
    ahead = {}
    edges = {
        (a, b)
        for triangle in cloth.triangles.tolist()
        for a, b in zip(triangle, triangle[1:] + triangle[:1])
    }
    for a, b in edges:
        if (b, a) not in edges:
            ahead[a] = b
    loops, left = [], set(ahead)
    while left:
        start = min(left)
        loop, at = [], start
        while at in left:
            left.discard(at)
            loop.append(at)
            at = ahead.get(at, -1)
        loops.append(loop)
    return np.array(
        max(loops, key=lambda loop: cloth.points[loop, 1].mean() if len(loop) > 12 else -99)
    )
