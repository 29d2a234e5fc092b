"""Triangles in space: normals, how much of the sky a point sees, where a ray hits."""

from typing import NamedTuple, Tuple

import numpy as np

_AT_ONCE = 256  # points whose occlusion is computed together


class Surface(NamedTuple):
    """A mesh. Triangles are counter-clockwise from outside."""

    points: np.ndarray
    """float64 [N, 3]"""

    triangles: np.ndarray
    """int [M, 3]"""


class Spot(NamedTuple):
    """Places on a surface, which move with it."""

    corners: np.ndarray
    """vertices, int [K, 3]"""

    shares: np.ndarray
    """of these vertices, float64 [K, 3]"""

    def of(self, values: np.ndarray) -> np.ndarray:
        """What vertices have, [N, D], at the places: [K, D]."""
        return (values[self.corners] * self.shares[:, :, None]).sum(axis=1)


def compact(points: np.ndarray, triangles: np.ndarray) -> Tuple[Surface, np.ndarray]:
    """The surface of the triangles alone, and which points it has."""
    used = np.unique(triangles)
    place = np.zeros(len(points), int)
    place[used] = np.arange(len(used))
    return Surface(points[used], place[triangles]), used


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors at length 1."""
    return vectors / np.maximum(np.sqrt((vectors**2).sum(axis=-1, keepdims=True)), 1e-12)


def normals(surface: Surface) -> np.ndarray:
    """Of vertices, as the mean of what meets there by area: float64 [N, 3]."""
    return unit(_area_vectors(surface))


def _area_vectors(surface: Surface) -> np.ndarray:
    a, b, c = (surface.points[surface.triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a) / 6
    sums = np.zeros_like(surface.points)
    for k in range(3):
        np.add.at(sums, surface.triangles[:, k], faces)
    return sums


def smooth(surface: Surface, values: np.ndarray, times: int) -> np.ndarray:
    """Values of vertices, each time averaged with the neighbours'."""
    ones = np.ones(len(values))
    for _ in range(times):
        sums, counts = values.copy(), ones.copy()
        for k in range(3):
            for other in (1, 2):
                here = surface.triangles[:, k]
                there = surface.triangles[:, (k + other) % 3]
                np.add.at(sums, here, values[there])
                np.add.at(counts, here, ones[there])
        values = sums / (counts if values.ndim == 1 else counts[:, None])
    return values


def occlusion(points: np.ndarray, directions: np.ndarray, around: Surface) -> np.ndarray:
    """How much of what a point could see is hidden: float64 [K], 0 to about 1.

    Vertices stand for discs of their area (M. Bunnell, Dynamic Ambient Occlusion and Indirect
    Lighting, GPU Gems 2, 2005); what hides twice counts twice.

    :param directions: in which the points look, of length 1, float64 [K, 3]
    """
    vectors = _area_vectors(around)
    areas = np.sqrt((vectors**2).sum(axis=1))
    facing = unit(vectors)
    hidden = []
    for at in range(0, len(points), _AT_ONCE):
        here = slice(at, at + _AT_ONCE)
        way = around.points[None] - points[here, None]
        squared = (way**2).sum(axis=2) + 1e-9
        seen = (way * directions[here, None]).sum(axis=2)
        faced = -(way * facing[None]).sum(axis=2)
        share = np.maximum(seen, 0) * np.maximum(faced, 0) / squared
        hidden.append((share * areas / (np.pi * squared + areas)).sum(axis=1))
    return np.concatenate(hidden)


def front(surface: Surface, places: np.ndarray) -> Spot:
    """Where rays along -z first hit the surface.

    :param places: x and y, float64 [K, 2]; all must hit
    """
    a, b, c = (surface.points[surface.triangles[:, k]] for k in range(3))
    corners, shares = [], []
    for place in places:
        area = _cross(b - a, c - a)
        with np.errstate(divide="ignore", invalid="ignore"):
            u = _cross(c - b, place - b[:, :2]) / area
            v = _cross(a - c, place - c[:, :2]) / area
        inside = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9)
        depth = np.where(inside, u * a[:, 2] + v * b[:, 2] + (1 - u - v) * c[:, 2], -np.inf)
        hit = int(depth.argmax())
        corners.append(surface.triangles[hit])
        shares.append((u[hit], v[hit], 1 - u[hit] - v[hit]))
    return Spot(np.array(corners), np.array(shares))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def clip(surface: Surface, height: np.ndarray) -> Tuple[Surface, Spot]:
    """The part of a surface where a height of its vertices is above 0, cut off cleanly.

    :return: it, and where its points lie on the whole surface
    """
    corners = [(index, index, index) for index in range(len(surface.points))]
    shares = [(1.0, 0.0, 0.0)] * len(corners)
    cuts = {}

    def cut(inside: int, outside: int) -> int:
        key = (min(inside, outside), max(inside, outside))
        if key not in cuts:
            part = height[key[0]] / (height[key[0]] - height[key[1]])
            cuts[key] = len(corners)
            corners.append((key[0], key[1], key[1]))
            shares.append((1 - part, part, 0.0))
        return cuts[key]

    triangles = []
    for triangle in surface.triangles.tolist():
        above = [height[index] > 0 for index in triangle]
        if all(above):
            triangles.append(triangle)
        elif any(above):
            lone = above.index(sum(above) == 1)
            a, b, c = triangle[lone:] + triangle[:lone]
            if above[lone]:
                triangles.append([a, cut(a, b), cut(a, c)])
            else:
                triangles += [[cut(b, a), b, c], [cut(b, a), c, cut(c, a)]]
    spot = Spot(np.array(corners), np.array(shares))
    part, used = compact(spot.of(surface.points), np.array(triangles))
    return part, Spot(spot.corners[used], spot.shares[used])
